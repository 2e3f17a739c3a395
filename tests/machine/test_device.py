import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from leukoscope.analysis.golden import GoldenCheck
from leukoscope.cameras.door import CameraDefaults
from leukoscope.cameras.v4l2 import V4l2CameraSettings
from leukoscope.errors import CalibrationError, CameraError, CameraInterrupted
from leukoscope.optics.calibration import Calibration
from leukoscope.optics.calibration_record import KeptFile, WhiteBalance
from leukoscope.service.opening import SETTLING_FRAMES, _expect_frame
from leukoscope.specimen.frame import Frame
from leukoscope.specimen.sample import Source
from tests.commands.command_line import leukoscope, simulated_camera
from tests.commands.test_run import read_report, write_bench
from tests.machine.supervisor import Supervisor

SCALE = "{ um_per_px = 0.127 }"
LIVE = '{ driver = "v4l2" }'
SILENT = "the camera at /dev/video0 sent no frame within 5 s"


class LiveCamera(CameraDefaults):
    """The simulated slide as a live camera that is opened again in vain after some frames."""

    source = Source.LIVE

    def __init__(self, frames: int) -> None:
        self._camera = simulated_camera(seed=1)
        self._left, self._tries = frames, 3

    def capture(self) -> Frame | None:
        if self._left:
            self._left -= 1
            return self._camera.capture()
        self._tries -= 1
        if self._tries:
            raise CameraInterrupted(SILENT, "check its cable")
        raise CameraError("the camera at /dev/video0 stays silent", "check its cable")

    def close(self) -> None:
        self._camera.close()


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leukoscope.service.telemetry.RESULT_S", 0.0)


def test_a_camera_that_stays_silent_becomes_a_fault_and_what_was_counted_is_reported(
    tmp_path: Path, live: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(V4l2CameraSettings, "open", lambda self: LiveCamera(3))
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(tmp_path))
    bench = write_bench(tmp_path, camera=LIVE, calibration=SCALE, when="every_frame", white_cells=5000)
    outcome = leukoscope("run", "--bench", bench, "--samples", "1")
    assert outcome.code == 2
    assert "stays silent" in outcome.err
    assert read_report(tmp_path)["sample"]["finished_because"] == "fault"
    assert json.loads((tmp_path / "fault.json").read_text())["part"] == "Camera"


def test_a_live_camera_that_opens_and_sends_nothing_is_never_ready(
    tmp_path: Path, live: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(V4l2CameraSettings, "open", lambda self: LiveCamera(0))
    with Supervisor(tmp_path) as supervisor:
        monkeypatch.setenv("NOTIFY_SOCKET", supervisor.address)
        outcome = leukoscope("run", "--bench", write_bench(tmp_path, camera=LIVE, calibration=SCALE))
        assert "STATUS=Opening the camera" in supervisor.heard()
        assert "READY=1" not in supervisor.heard()
    assert outcome.code == 2


def test_networks_that_decide_otherwise_than_they_must_are_never_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leukoscope.bundles.installing.replay", lambda *_: GoldenCheck(73, 70, 1, 4.0))
    with Supervisor(tmp_path) as supervisor:
        monkeypatch.setenv("NOTIFY_SOCKET", supervisor.address)
        outcome = leukoscope("run", "--bench", write_bench(tmp_path))
        assert "READY=1" not in supervisor.heard()
    assert outcome.code == 2
    assert "70 of 73 golden decisions" in outcome.err


def test_the_status_says_what_is_done_and_the_log_names_no_specimen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with Supervisor(tmp_path) as supervisor, caplog.at_level("INFO"):
        monkeypatch.setenv("NOTIFY_SOCKET", supervisor.address)
        outcome = leukoscope("run", "--bench", write_bench(tmp_path), "--samples", "1", "--sample-id", "Doe-Jane")
        message = supervisor.heard()
    assert outcome.code == 0, outcome.err
    assert message.index("STATUS=Loading the networks") < message.index("READY=1") < message.index("STOPPING=1")
    assert any(line.startswith("STATUS=counting: ") for line in message)
    assert "finished (enough_cells)" in caplog.text
    assert "Doe-Jane" not in caplog.text
    assert "Doe-Jane" not in "\n".join(message)


class SettlingCamera(CameraDefaults):
    """A sensor whose first frames have another gain than asked for."""

    source = Source.LIVE

    def __init__(self, frames: int) -> None:
        self._undecided = frames

    def capture(self) -> Frame:
        self._undecided -= 1
        gain = 4.0 if self._undecided >= 0 else 1.0
        return Frame(np.zeros((2, 2, 3), np.uint8), 1, datetime.now(UTC), "v4l2:0", analogue_gain=gain)

    def close(self) -> None:
        pass


def test_a_sensor_may_settle_before_its_frames_are_judged() -> None:
    kept = KeptFile(path="white.png", sha256="0" * 64)
    at = datetime(2026, 1, 1, tzinfo=UTC)
    white = WhiteBalance(
        by="me",
        at=at,
        valid_until=at,
        pictures=1,
        picture=kept,
        gains=(1.0, 1.0, 1.0),
        off_white=0.0,
        analogue_gain=1.0,
    )
    calibration = Calibration("bench", True, 0.127, white=white)
    _expect_frame(SettlingCamera(SETTLING_FRAMES - 1), calibration)
    with pytest.raises(CalibrationError, match=r"sensor gain of 1\.00, the camera uses a sensor gain of 4\.00"):
        _expect_frame(SettlingCamera(SETTLING_FRAMES), calibration)
