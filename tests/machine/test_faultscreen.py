import json
from pathlib import Path

import pytest
from PIL import Image

from leukoscope.displays.screens import draw
from leukoscope.displays.snapshot import Snapshot
from leukoscope.displays.state import Fault
from leukoscope.errors import DisplayError, SettingsError
from leukoscope.service.fault_screen import AGAIN_S, PRESSED, FaultScreen, last_fault, read_panes
from leukoscope.system.fault_record import FaultRecord, LastFault
from tests.commands.command_line import leukoscope

CAMERA = LastFault("Camera", "the camera at /dev/video0 is not there", "is it plugged in?")
TOLD = "is it plugged in?; then press the button"
PRESS = 'presses = [{ action = "toggle", after_polls = 3 }]'


def write(folder: Path, presses: str = PRESS, more: str = "") -> Path:
    path = folder / "bench.toml"
    path.write_text(
        f'displays = [{{ driver = "oled" }}, {{ driver = "snapshot", folder = "{folder}/screens" }}, '
        '{ driver = "?" }]\n'
        f'controls = [{{ driver = "window" }}, {{ driver = "scripted", {presses} }}]\n{more}'
    )
    return path


def shown(folder: Path) -> Image.Image:
    with Image.open(sorted((folder / "screens").glob("*.png"))[-1]) as picture:
        return picture.convert("RGB")


def test_the_fault_stands_on_the_displays_that_work_until_a_press(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    FaultRecord(tmp_path).write(CAMERA)
    # Most of the settings are missing, as they are where a key was misspelt: the displays are known all the same.
    outcome = leukoscope("fault", "--bench", write(tmp_path))
    assert outcome.code == PRESSED
    assert shown(tmp_path) == draw(Fault(CAMERA.part, CAMERA.happened, TOLD), (320, 240), False)


def test_a_display_that_comes_back_gets_the_fault_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    show, answers = Snapshot.show, iter([False, False, True])
    now_s = 0.0

    def sometimes(self: Snapshot, image: Image.Image) -> None:
        if not next(answers):
            raise DisplayError("the display does not answer", "check its plug")
        show(self, image)

    def sleep(seconds: float) -> None:
        nonlocal now_s
        now_s += seconds
        if list((tmp_path / "screens").glob("*.png")):
            screen.stop()

    monkeypatch.setattr(Snapshot, "show", sometimes)
    screen = FaultScreen(read_panes(write(tmp_path, "presses = []")), CAMERA, lambda: now_s, sleep)
    assert screen.run() is False
    assert now_s >= 2 * AGAIN_S
    assert shown(tmp_path)


@pytest.mark.parametrize("content", ["displays = [", "", "displays = 3", 'displays = [{ driver = "?" }]'])
def test_without_a_display_there_is_nothing_to_tell_it_on(tmp_path: Path, content: str) -> None:
    (tmp_path / "bench.toml").write_text(content)
    with pytest.raises(SettingsError, match="display"):
        read_panes(tmp_path / "bench.toml")


@pytest.mark.parametrize(
    ("environ", "part"),
    [
        ({"MONITOR_SERVICE_RESULT": "oom-kill"}, "Memory"),
        ({"MONITOR_SERVICE_RESULT": "watchdog"}, "Instrument"),
        ({"MONITOR_SERVICE_RESULT": "exit-code"}, "Instrument"),
        ({}, "Instrument"),
    ],
)
def test_what_left_no_word_is_told_as_systemd_saw_it(environ: dict[str, str], part: str) -> None:
    assert last_fault(environ).part == part


def test_what_the_program_noted_itself_is_believed_first(tmp_path: Path) -> None:
    (tmp_path / "fault.json").write_text(json.dumps({"part": "Camera", "happened": "gone", "todo": "look"}))
    environ = {"RUNTIME_DIRECTORY": f"{tmp_path}:/other", "MONITOR_SERVICE_RESULT": "exit-code"}
    assert last_fault(environ) == LastFault("Camera", "gone", "look")
