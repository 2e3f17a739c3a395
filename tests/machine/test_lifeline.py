import socket
from pathlib import Path

import pytest

from leukoscope.system.sd_notify import notifier, watchdog_s
from leukoscope.system.watchdog import Progressing, Watchdog
from tests.machine.supervisor import Supervisor


class Clock:
    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


def test_nothing_is_said_where_nobody_asked() -> None:
    assert notifier({})("READY=1")
    assert watchdog_s({}, 1) is None


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({"WATCHDOG_USEC": "60000000"}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "7"}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_is_the_one_meant_for_this_process(environ: dict[str, str], seconds: float | None) -> None:
    assert watchdog_s(environ, 7) == seconds


def test_an_abstract_socket_is_reached() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind("")  # the kernel chooses an abstract name
        address = supervisor.getsockname().decode().replace("\0", "@")
        assert notifier({"NOTIFY_SOCKET": address})("READY=1")
        assert supervisor.recv(100) == b"READY=1"


def test_a_supervisor_that_is_gone_or_does_not_read_holds_nothing_up(tmp_path: Path) -> None:
    address = str(tmp_path / "notify")
    signal = notifier({"NOTIFY_SOCKET": address})
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(address)
        while signal("STATUS=full"):
            pass
    assert not signal("READY=1")


def test_a_supervisor_that_reads_hears_more_than_its_socket_holds(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as supervisor:
        assert all(supervisor.signal(f"STATUS={number}") for number in range(1000))
        assert supervisor.heard() == [f"STATUS={number}" for number in range(1000)]


def test_pings_come_at_half_the_interval_and_only_with_turns(tmp_path: Path) -> None:
    clock = Clock()
    with Supervisor(tmp_path) as supervisor:
        lifeline = Watchdog(supervisor.signal, 60.0, clock)
        lifeline.starting("Opening the camera")
        lifeline.ready()
        for clock.s in range(0, 121):
            lifeline.turn("ready")
        assert supervisor.pings() == 5
        # Nothing pings by itself, however long the main loop is away.
        clock.s = 600.0
        assert supervisor.pings() == 5
        assert [line for line in supervisor.heard() if line != "WATCHDOG=1"] == [
            "STATUS=Opening the camera",
            "READY=1",
            "STATUS=ready",
        ]


def test_a_stuck_thread_ends_the_pings_but_not_during_a_sample(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    late_s = 0.0
    with Supervisor(tmp_path) as supervisor:
        lifeline = Watchdog(supervisor.signal, 60.0, clock)
        lifeline.watch(Progressing("Broker", lambda: late_s, 300.0))
        clock.s, late_s = 100.0, 299.0
        lifeline.turn("ready")
        assert supervisor.pings() == 1
        clock.s, late_s = 200.0, 301.0
        lifeline.turn("ready")
        lifeline.turn("ready")
        assert supervisor.pings() == 1
        assert caplog.text.count("Broker: its thread stands still") == 1
        lifeline.turn("counting", busy=True)
        assert supervisor.pings() == 2


def test_a_part_that_takes_over_pings_at_once(tmp_path: Path) -> None:
    clock = Clock()
    with Supervisor(tmp_path) as supervisor:
        for clock.s in range(0, 600, 20):
            # Each lives shorter than the interval: together they would never ping.
            Watchdog(supervisor.signal, 60.0, clock).turn("calibrating")
        assert supervisor.pings() == 30


def test_a_ping_that_got_lost_is_sent_again_at_the_next_turn() -> None:
    arrives = iter([False, True])
    said = []

    def signal(lines: str) -> bool:
        said.append(lines)
        return next(arrives)

    clock = Clock()
    lifeline = Watchdog(signal, 60.0, clock, status="ready")
    for clock.s in (30.0, 30.1, 30.2):
        lifeline.turn("ready")
    assert said == ["WATCHDOG=1", "WATCHDOG=1"]
