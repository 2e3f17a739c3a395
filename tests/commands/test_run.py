import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from PIL import Image

from leukoscope.cameras.replay import ReplayCamera
from leukoscope.cameras.simulated import SimulatedCamera
from leukoscope.errors import CameraError, OutboxError
from leukoscope.specimen.frame import Frame
from leukoscope.system.assets import find_asset
from tests.commands.command_line import leukoscope, simulated_pictures

BENCH = """
site = "bench"
device = "test"
camera = {camera}
calibration = {calibration}
displays = [{{ driver = "snapshot", folder = "{folder}/screens" }}]
controls = [{{ driver = "scripted", presses = [{{ action = "toggle", after_s = 0.0 }}] }}]
storage = {{ folder = "{folder}/state", annotated_fields = 2 }}
counting = {{ white_cells = {white_cells} }}
reporting = {reporting}
new_field = {{ when = "{when}" }}
"""
SIMULATED = '{ driver = "simulated", dwell_frames = 2, smear = { white_per_1000_rbc = 40.0, seed = 3 } }'


def write_bench(folder: Path, old: str = "", new: str = "", **values: object) -> Path:
    settings: dict[str, object] = {
        "folder": folder,
        "camera": SIMULATED,
        "calibration": '{ file = "simulated.toml" }',
        "white_cells": 3,
        "reporting": '{ driver = "none" }',
        "when": "moved",
    }
    text = BENCH.format(**settings | values)
    assert old in text
    path = folder / "bench.toml"
    path.write_text(text.replace(old, new) if old else text)
    return path


def read_report(folder: Path) -> dict[str, Any]:
    (path,) = (folder / "state" / "reports").glob("*.json")
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def replay(folder: Path, count: int = 2) -> Path:
    """Pictures of the simulated microscope in a folder."""
    list(simulated_pictures(folder, count))
    return folder


def test_a_press_leads_to_a_report_pictures_and_screens(tmp_path: Path) -> None:
    bench = write_bench(tmp_path)
    outcome = leukoscope("run", "--bench", bench, "--samples", "1", "--sample-id", "S-17")
    assert outcome.code == 0, outcome.err
    report = read_report(tmp_path)
    assert report["sample"]["sample_id"] == "S-17"
    text = json.dumps(report)
    assert '"simulated"' in text
    assert list((tmp_path / "screens").glob("*.png"))
    assert list((tmp_path / "state" / "fields").rglob("field-*.png"))
    listed = leukoscope("outbox", "list", "--bench", bench, "--json")
    assert json.loads(listed.out)["id"] == report["id"]
    assert json.loads(listed.out)["state"] == "pending"


def test_pictures_that_end_finish_the_sample(tmp_path: Path) -> None:
    pictures = replay(tmp_path / "pictures")
    camera = f'{{ driver = "replay", path = "{pictures}" }}'
    scale = "{ um_per_px = 0.127 }"
    bench = write_bench(tmp_path, camera=camera, calibration=scale, white_cells=1000, when="every_frame")
    outcome = leukoscope("run", "--bench", bench)
    assert outcome.code == 0, outcome.err
    report = read_report(tmp_path)
    assert report["sample"]["finished_because"] == "end_of_pictures"
    assert '"replayed"' in json.dumps(report)


@pytest.mark.parametrize(("um_per_px", "message"), [(0.127, []), (0.108, ["smaller"]), (0.15, ["larger"])])
def test_red_cells_of_the_wrong_size_question_the_scale_in_the_report(
    tmp_path: Path, um_per_px: float, message: list[str]
) -> None:
    camera = f'{{ driver = "replay", path = "{replay(tmp_path / "pictures", 3)}" }}'
    scale = f"{{ um_per_px = {um_per_px} }}"
    bench = write_bench(tmp_path, camera=camera, calibration=scale, white_cells=1000, when="every_frame")
    assert leukoscope("run", "--bench", bench).code == 0
    report = read_report(tmp_path)
    assert report["red_cells"]["mean_diameter_um"] == pytest.approx(7.2 * um_per_px / 0.127, rel=0.06)
    findings = [one["text"] for one in report["findings"] if one["code"] == "red_cell_size"]
    assert [text.split(" than usual")[0].split()[-1] for text in findings] == message


def test_a_camera_that_fails_costs_nothing_already_counted(tmp_path: Path) -> None:
    camera = f'{{ driver = "replay", path = "{replay(tmp_path / "pictures")}" }}'
    bench = write_bench(tmp_path, camera=camera, white_cells=1000, when="every_frame")

    def breaks_at_the_second(self: ReplayCamera) -> Frame | None:
        if self._number == 1:
            raise CameraError("the camera was unplugged", "plug it in again")
        return capture(self)

    capture = ReplayCamera.capture
    with mock.patch.object(ReplayCamera, "capture", breaks_at_the_second):
        outcome = leukoscope("run", "--bench", bench)
    assert outcome.code == 2
    assert "the camera was unplugged" in outcome.err
    report = read_report(tmp_path)
    assert report["sample"]["finished_because"] == "fault"
    assert report["fields"]["counted"] == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("white_cells = 3", "white_cels = 3", "counting.white_cels is not a known key (did you mean"),
        ("white_cells = 3", 'white_cells = "many"', "counting.white_cells = 'many'"),
        ('driver = "snapshot"', 'driver = "hologram"', "displays"),
        ('file = "simulated.toml"', 'file = "nowhere.toml"', "nowhere.toml"),
        ('site = "bench"', 'site = "bench', "not a readable TOML file"),
        ('driver = "simulated"', 'driver = "v4l2"', "camera"),
    ],
)
def test_a_settings_file_with_a_fault_gets_one_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    outcome = leukoscope("run", "--bench", write_bench(tmp_path, old, new))
    assert outcome.code == 2
    assert message in outcome.err
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("value", ["[" * 5000 + "]" * 5000, "{a=" * 5000 + "1" + "}" * 5000])
def test_settings_with_values_nested_too_deeply_get_one_line(tmp_path: Path, value: str) -> None:
    (tmp_path / "bench.toml").write_text(f"site = {value}\n")
    outcome = leukoscope("run", "--bench", tmp_path / "bench.toml")
    assert outcome.code == 2
    assert "bench.toml is not a readable TOML file: values stand one in another" in outcome.err


def test_a_folder_given_as_settings_file_is_named(tmp_path: Path) -> None:
    outcome = leukoscope("run", "--bench", tmp_path)
    assert outcome.code == 2
    assert f"the settings file {tmp_path} cannot be read (Is a directory): give a readable file" in outcome.err


def test_a_missing_settings_file_is_named(tmp_path: Path) -> None:
    outcome = leukoscope("run", "--bench", tmp_path / "none.toml")
    assert outcome.code == 2
    assert "no settings file at" in outcome.err


def test_a_missing_camera_is_named_shown_and_not_replaced(tmp_path: Path) -> None:
    camera = '{ driver = "v4l2", device = "/dev/video99" }'
    outcome = leukoscope("run", "--bench", write_bench(tmp_path, camera=camera))
    assert outcome.code == 2
    assert "/dev/video99" in outcome.err
    assert not (tmp_path / "state" / "reports").exists()
    assert list((tmp_path / "screens").glob("*.png"))


def test_a_port_without_a_broker_keeps_the_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leukoscope.service.telemetry.FLUSH_S", 0.5)
    reporting = '{ driver = "mqtt", host = "127.0.0.1", port = 9 }'
    bench = write_bench(tmp_path, reporting=reporting)
    outcome = leukoscope("run", "--bench", bench, "--samples", "1")
    assert outcome.code == 0, outcome.err
    assert json.loads(leukoscope("outbox", "list", "--bench", bench, "--json").out)["state"] == "pending"


def test_a_look_into_an_outbox_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    outcome = leukoscope("outbox", "list", "--bench", write_bench(tmp_path))
    assert outcome.code == 2
    assert "has this bench run yet?" in outcome.err


def test_doctor_finds_a_whole_bench_good_and_a_missing_camera_bad(tmp_path: Path) -> None:
    good = leukoscope("doctor", "--bench", write_bench(tmp_path), "--json")
    assert good.code == 0, good.out
    assert {json.loads(line)["part"] for line in good.out.splitlines()} >= {"calibration", "camera", "storage"}
    camera = '{ driver = "v4l2", device = "/dev/video99" }'
    bad = leukoscope("doctor", "--bench", write_bench(tmp_path, camera=camera), "--json")
    assert bad.code == 2
    (failed,) = (json.loads(line) for line in bad.out.splitlines() if not json.loads(line)["good"])
    assert failed["part"] == "camera"


def test_a_report_that_was_written_survives_kill_nine(tmp_path: Path) -> None:
    bench = write_bench(tmp_path)
    command = [sys.executable, "-m", "leukoscope.cli.main", "run", "--bench", str(bench)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob("state/reports/*.json")):
            assert time.monotonic() < deadline, "no report within a minute"
            assert process.poll() is None, "the device ended by itself"
            time.sleep(0.1)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    with contextlib.closing(sqlite3.connect(tmp_path / "state" / "outbox.sqlite")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert json.loads(leukoscope("outbox", "list", "--bench", bench, "--json").out.splitlines()[0])["kind"] == "report"


def test_a_run_draws_for_the_smallest_display_too(tmp_path: Path) -> None:
    small = f'folder = "{tmp_path}/screens", width = 128, height = 64, monochrome = true'
    bench = write_bench(tmp_path, f'folder = "{tmp_path}/screens"', small)
    assert leukoscope("run", "--bench", bench, "--samples", "1").code == 0
    sizes = set()
    for path in (tmp_path / "screens").glob("*.png"):
        with Image.open(path) as screen:
            sizes.add(screen.size)
    assert sizes == {(128, 64)}


def test_a_stopped_service_reports_what_it_has_counted(tmp_path: Path) -> None:
    bench = write_bench(tmp_path, white_cells=5000)
    command = [sys.executable, "-m", "leukoscope.cli.main", "run", "--bench", str(bench)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        # The screens folder grows while it counts.
        deadline = time.monotonic() + 60
        while len(list((tmp_path / "screens").glob("*.png"))) < 12:
            assert time.monotonic() < deadline, "nothing was counted within a minute"
            time.sleep(0.1)
        process.terminate()
        complaints = process.communicate(timeout=30)[1]
    assert process.returncode == 0, complaints
    report = read_report(tmp_path)
    assert report["sample"]["finished_because"] == "technician"
    assert report["fields"]["counted"] > 0


def test_a_bundle_whose_network_was_altered_is_refused(tmp_path: Path) -> None:
    shutil.copytree(find_asset("models", "segmenter"), tmp_path / "bundle")
    network = tmp_path / "bundle" / "network.int8.onnx"
    network.write_bytes(network.read_bytes()[:-1] + b"?")
    bench = write_bench(tmp_path)
    bench.write_text(bench.read_text() + f'models = {{ segmenter = "{tmp_path}/bundle" }}\n')
    outcome = leukoscope("run", "--bench", bench)
    assert outcome.code == 2
    assert "is not the file its manifest names: expected sha256" in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_doctor_leaves_nothing_behind(tmp_path: Path) -> None:
    # Run as root it would otherwise own the outbox that the service must write.
    assert leukoscope("doctor", "--bench", write_bench(tmp_path)).code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["bench.toml"]


def test_doctor_names_a_display_that_does_not_answer(tmp_path: Path) -> None:
    bench = write_bench(tmp_path, f'driver = "snapshot", folder = "{tmp_path}/screens"', 'driver = "oled"')
    outcome = leukoscope("doctor", "--bench", bench, "--json")
    assert outcome.code == 2
    (failed,) = (json.loads(line) for line in outcome.out.splitlines() if not json.loads(line)["good"])
    assert failed["part"] == "display oled"
    assert "check its plug, address and wiring" in failed["text"]


def test_doctor_names_a_scanner_that_is_not_there_and_tries_the_signals(tmp_path: Path) -> None:
    bench = write_bench(tmp_path, "controls = [", 'controls = [{ driver = "scanner", device = "/dev/input/none" }, ')
    bench.write_text(bench.read_text() + 'signals = { green_pin = 5, pin_factory = "mock" }\n')
    outcome = leukoscope("doctor", "--bench", bench, "--json")
    found = {entry["part"]: entry for entry in map(json.loads, outcome.out.splitlines())}
    assert outcome.code == 2
    assert "no scanner at /dev/input/none" in found["scanner"]["text"]
    assert found["signals"]["good"]


def test_a_camera_that_fails_while_paused_costs_nothing_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setattr("leukoscope.service.loop.IDLE_S", 0.0)
    capture, taken = SimulatedCamera.capture, iter(range(12))

    def unplugged_at_the_twelfth(self: SimulatedCamera) -> Frame:
        if next(taken, None) is None:
            raise CameraError("the camera was unplugged", "plug it in again")
        return capture(self)

    monkeypatch.setattr(SimulatedCamera, "capture", unplugged_at_the_twelfth)
    # A window shows the live field also while paused, so the camera is asked then too.
    bench = write_bench(
        tmp_path,
        'displays = [{ driver = "snapshot"',
        'displays = [{ driver = "window" }, { driver = "snapshot"',
        camera='{ driver = "simulated", path = "keys", smear = { seed = 3 } }',
        when="every_frame",
        white_cells=5000,
    )
    pause = '{ action = "toggle", after_s = 0.0 }, { action = "toggle", after_polls = 6 }'
    bench.write_text(bench.read_text().replace('{ action = "toggle", after_s = 0.0 }', pause))
    outcome = leukoscope("run", "--bench", bench)
    assert outcome.code == 2
    assert "the camera was unplugged" in outcome.err
    report = read_report(tmp_path)
    assert report["sample"]["finished_because"] == "fault"
    assert 0 < report["fields"]["counted"] < 12


def test_a_report_that_finds_no_place_is_in_the_log_when_the_program_has_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OutboxError("the outbox cannot be written", "make room")

    monkeypatch.setattr("leukoscope.service.report_filing.record", full)
    bench = write_bench(tmp_path, white_cells=5000)
    leave = '{ action = "toggle", after_s = 0.0 }, { action = "quit", after_polls = 6 }'
    bench.write_text(bench.read_text().replace('{ action = "toggle", after_s = 0.0 }', leave))
    outcome = leukoscope("run", "--bench", bench, "--sample-id", "S-99")
    assert outcome.code == 2
    assert "make room" in outcome.err
    assert "could not be kept" in caplog.text
    assert "S-99" in caplog.text
