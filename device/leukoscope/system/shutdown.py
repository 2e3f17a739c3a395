"""Ctrl-C, systemd's stop and a terminal that is closed end the work properly instead of losing it."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn


@contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` at the first SIGINT, SIGTERM or SIGHUP; a second one ends the program as it always would.

    A SIGHUP that is ignored, as under nohup, stays ignored.

    Does nothing outside the main thread, where Python takes no signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    if before[signal.SIGHUP] is signal.SIG_IGN:
        del before[signal.SIGHUP]

    def take(number: int, _: object) -> None:
        signal.signal(number, before[signal.Signals(number)])
        stop()

    for one in before:
        signal.signal(one, take)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def start_again() -> NoReturn:
    """Begin the program anew with the same arguments, in the same process, so that it needs no supervisor for that.

    Everything that is open must have been closed.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-m", "leukoscope.cli.main", *sys.argv[1:]])
