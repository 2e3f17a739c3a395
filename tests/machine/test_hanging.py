import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from leukoscope.system.fault_record import FaultRecord
from tests.brokers import wait_until
from tests.machine.supervisor import Supervisor

WATCHDOG_S = 1.0
RUN = Path(__file__).with_name("hanging_run.py")
BENCH = """
site = "bench"
device = "test"
camera = {{ driver = "simulated", dwell_frames = 2, smear = {{ white_per_1000_rbc = 60.0, seed = 3 }} }}
calibration = {{ file = "simulated.toml" }}
displays = [{{ driver = "snapshot", folder = "{folder}/screens" }}]
controls = [{{ driver = "scripted", presses = [{presses}] }}]
storage = {{ folder = "{folder}/state" }}
counting = {{ white_cells = {white_cells} }}
reporting = {{ driver = "none" }}
"""
PRESS = '{ action = "toggle", after_s = 1.2 }'


@pytest.mark.parametrize(
    ("what", "presses", "white_cells", "part"),
    [("camera", PRESS, 5000, "Camera"), ("disk", PRESS, 1, "Storage"), ("lock", "", 5000, "Storage")],
)
def test_whatever_hangs_the_pings_stop_and_the_part_is_on_record(
    tmp_path: Path, what: str, presses: str, white_cells: int, part: str
) -> None:
    bench = tmp_path / "bench.toml"
    bench.write_text(BENCH.format(folder=tmp_path, presses=presses, white_cells=white_cells))
    with Supervisor(tmp_path) as supervisor:
        environ = os.environ | {
            "NOTIFY_SOCKET": supervisor.address,
            "WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6)),
            "RUNTIME_DIRECTORY": str(tmp_path),
        }
        environ.pop("WATCHDOG_PID", None)
        command = [sys.executable, str(RUN), what, str(bench), str(tmp_path / "hangs")]
        with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                assert wait_until(lambda: supervisor.pings() > 0, 60.0), supervisor.heard()
                assert "READY=1" in supervisor.heard()
                assert wait_until((tmp_path / "hangs").exists, 60.0), "nothing hung"
                assert wait_until(Silence(supervisor), 60.0), "the pings go on"
                process.send_signal(signal.SIGABRT)
                process.wait(30)
            finally:
                process.kill()
    assert process.returncode == -signal.SIGABRT
    fault = FaultRecord(tmp_path).read()
    assert fault is not None
    assert fault.part == part
    assert f"{part} stopped answering" in fault.happened


class Silence:
    """True once no ping came for as long as the watchdog waits, as systemd judges it."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor, self._pings, self._since_s = supervisor, 0, time.monotonic()

    def __call__(self) -> bool:
        pings = self._supervisor.pings()
        if pings != self._pings:
            self._pings, self._since_s = pings, time.monotonic()
        return time.monotonic() - self._since_s > WATCHDOG_S
