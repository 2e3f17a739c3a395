"""Reports the program's state to systemd, where systemd asks for it (sd_notify(3), sd_watchdog_enabled(3))."""

import os
import socket
from collections.abc import Callable, Mapping

Notify = Callable[[str], bool]
"""Hands lines such as "READY=1" over; False when they did not arrive."""


def notifier(environ: Mapping[str, str]) -> Notify:
    """What speaks to the supervisor named in the environment; without one, nothing is said and nothing is missed."""
    address = environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return lambda lines: True
    # An abstract socket is written with @ and addressed with a zero byte.
    place = f"\0{address[1:]}" if address.startswith("@") else address
    return lambda lines: _send(place, lines)


def watchdog_s(environ: Mapping[str, str], pid: int) -> float | None:
    """Seconds of silence after which the supervisor kills this process; None when it does not."""
    meant_for = environ.get("WATCHDOG_PID", str(pid))
    interval_us = environ.get("WATCHDOG_USEC", "")
    if meant_for != str(pid) or not interval_us.isdigit() or int(interval_us) == 0:
        return None
    return int(interval_us) / 1e6


def _send(place: str, lines: str) -> bool:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as way:
            way.connect(place)
            # A supervisor that does not read must not hold the instrument up.
            way.send(lines.encode("utf-8"), socket.MSG_DONTWAIT)
    except OSError:
        return False
    return True


def process_environment() -> tuple[Notify, float | None]:
    """`notifier` and `watchdog_s` of this process."""
    return notifier(os.environ), watchdog_s(os.environ, os.getpid())
