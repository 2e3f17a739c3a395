import json
import tarfile
from pathlib import Path

import pytest

from leukoscope.displays.kept import FILE, KEPT, KeptScreens
from leukoscope.displays.state import BrokerState, Fault, Ready, Result, Screen
from leukoscope.doctor import support_file
from leukoscope.doctor.support_file import Secrets
from leukoscope.errors import CameraError, SettingsError
from leukoscope.specimen.sample import Source
from tests.commands.command_line import leukoscope
from tests.commands.test_run import write_bench

PASSWORD, KEY, SAMPLE = "correct-horse-battery", "-----BEGIN PRIVATE KEY-----\nMIIEvQ", "K-2024-0815"
LOG = f"""\
2026-11-22T03:00:00 leukoscope: level=info msg="report 1234 finished"
2026-11-22T03:00:01 leukoscope: level=warning msg="the broker echoed {PASSWORD}"
2026-11-22T03:00:02 leukoscope: level=critical msg="a report that could not be kept: SampleReport(sample_id='X-9')"
2026-11-22T03:00:03 leukoscope: level=info msg="the technician typed {SAMPLE} here"
"""
RESULT = Result(
    sample_id=SAMPLE,
    differential=(),
    white_cells=100,
    red_cell_diameter_um=7.1,
    findings=(),
    warnings=(),
    source=Source.SIMULATED,
)


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "password").write_text(f"{PASSWORD}\n")
    (tmp_path / "key.pem").write_text(KEY)
    reports = tmp_path / "state" / "reports"
    reports.mkdir(parents=True)
    (reports / "report-1-v1.json").write_text(json.dumps({"sample": {"sample_id": SAMPLE}}))
    (reports / "report-2-v1.json").write_text("[")
    (tmp_path / "run").mkdir()
    screens = KeptScreens(tmp_path / "run")
    screens.keep(RESULT)
    screens.keep(Ready(SAMPLE, BrokerState.NONE, Source.SIMULATED))
    screens.keep(Fault("Camera", "the camera was unplugged", "plug it in again"))
    monkeypatch.setattr(support_file, "_log", lambda: LOG)
    return write_bench(
        tmp_path,
        reporting=f'{{ driver = "mqtt", host = "127.0.0.1", port = 9, username = "scope", '
        f'password_file = "{tmp_path}/password" }}',
    )


def unpacked(path: Path) -> dict[str, str]:
    texts = {}
    with tarfile.open(path) as archive:
        for entry in archive.getmembers():
            file = archive.extractfile(entry)
            assert file is not None
            texts[Path(entry.name).name] = file.read().decode()
    return texts


def test_one_file_holds_what_an_engineer_needs_and_no_secret(
    tmp_path: Path, bench: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(support_file.pack_support, "__defaults__", (tmp_path / "run",))
    out = tmp_path / "help.tar.gz"
    outcome = leukoscope("support", "--bench", bench, "--out", out)
    assert outcome.code == 0, outcome.err
    texts = unpacked(out)
    assert set(texts) == {"system.txt", "settings.json", "doctor.jsonl", "log.txt", FILE}
    everything = "\n".join(texts.values())
    assert "camera was unplugged" in texts[FILE]
    assert "finished" in texts["log.txt"]
    assert json.loads(texts["settings.json"])["reporting"]["username"] == "scope"
    assert {json.loads(line)["part"] for line in texts["doctor.jsonl"].splitlines()} >= {"camera", "storage", "broker"}
    for secret in (PASSWORD, SAMPLE, "X-9", "PRIVATE KEY", "MIIEvQ"):
        assert secret not in everything, secret
    assert out.stat().st_mode & 0o077 == 0


def test_a_password_in_the_wrong_place_is_left_out_too(tmp_path: Path, bench: Path) -> None:
    bench.write_text(bench.read_text() + 'mqtt_password = "hunter2"\n[[more]]\napi_token = "t0ken"\n')
    support_file.pack_support(bench, tmp_path / "help.tar.gz", tmp_path / "run")
    everything = "\n".join(unpacked(tmp_path / "help.tar.gz").values())
    assert "hunter2" not in everything
    assert "t0ken" not in everything
    # What is wrong with these settings is what the engineer wants to know.
    assert "mqtt_password is not a known key" in everything


def test_settings_that_cannot_be_read_are_no_reason_to_pack_nothing(tmp_path: Path) -> None:
    (tmp_path / "bench.toml").write_text('password = "half')
    names = support_file.pack_support(tmp_path / "bench.toml", tmp_path / "help.tar.gz", tmp_path)
    assert "doctor.jsonl" in names
    everything = "\n".join(unpacked(tmp_path / "help.tar.gz").values())
    assert "half" not in everything
    assert "not a readable TOML file" in everything


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, bench: Path) -> None:
    (tmp_path / "a-file").write_text("no folder")
    outcome = leukoscope("support", "--bench", bench, "--out", tmp_path / "a-file" / "help.tar.gz")
    assert outcome.code == 2
    assert "give another --out" in outcome.err


def test_a_specimen_with_a_short_name_does_not_take_every_number_out() -> None:
    secrets = Secrets(set(), {"1", "S-1"})
    assert secrets.removed_from("1 of 11, S-1, S-12, v1") == "[left out] of 11, [left out], S-12, v1"


def test_only_the_last_screens_are_kept(tmp_path: Path) -> None:
    screens = KeptScreens.of_this_service({"RUNTIME_DIRECTORY": str(tmp_path)})
    for number in range(KEPT + 5):
        screen: Screen = Fault("Camera", f"failure {number}", "look")
        screens.keep(screen)
    lines = (tmp_path / FILE).read_text().splitlines()
    assert len(lines) == KEPT
    assert json.loads(lines[-1]) == {"screen": "Fault", "part": "Camera", "happened": "failure 34", "todo": "look"}
    KeptScreens.of_this_service({}).keep(screen)


@pytest.mark.parametrize(
    ("pipeline", "rest"),
    [
        ("rtspsrc location=rtsp://cam/1?user=admin&password=hunter2&channel=1 ! decodebin", "&channel=1 ! decodebin"),
        ("rtspsrc location=rtsp://cam/1 user-id=admin user-pw=hunter2 ! decodebin", " ! decodebin"),
        ('souphttpsrc location=http://cam/1 user-pw="hunter2 3" ! jpegdec', " ! jpegdec"),
        ("souphttpsrc location=http://cam/1?Token=hunter2;x=1", ";x=1"),
    ],
)
def test_secrets_that_an_address_or_a_pipeline_names_are_left_out(pipeline: str, rest: str) -> None:
    for kept in (str(CameraError(f"the pipeline {pipeline} ends", "?")), Secrets(set(), set()).removed_from(pipeline)):
        assert "hunter2" not in kept and " 3" not in kept
        assert f"[left out]{rest}" in kept
    assert "password_file = /etc/a" in str(SettingsError("password_file = /etc/a is missing", "write it"))


@pytest.mark.parametrize(
    "login", ["admin:hunter2", "hunter2", ":hunter2", "a:hun@hunter2", "a:/hunter2", "a:x/hunter2@"]
)
def test_logins_in_addresses_are_left_out_of_support_files_and_of_messages(login: str) -> None:
    address = f"rtsp://{login}@camera.example:554/stream?a=b"
    text = f'{{"pipeline": "rtspsrc location={address} ! decodebin", "mail": "anna@clinic.example"}}'
    kept = Secrets(set(), set()).removed_from(text)
    assert "hunter2" not in kept
    assert "rtsp://[left out]@camera.example:554/stream?a=b" in kept
    assert "anna@clinic.example" in kept
    for kind in (CameraError, SettingsError):
        message = str(kind(f"the pipeline rtspsrc location={address} ends", "is the camera on?"))
        assert "hunter2" not in message
        assert "camera.example" in message
