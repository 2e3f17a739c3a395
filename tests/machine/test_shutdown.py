"""However it is asked to stop, the device finishes and reports what it has."""

import os
import signal

import pytest

from leukoscope.system.shutdown import stopped_by_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_signal_asks_to_stop_and_the_second_does_what_it_always_did(number: signal.Signals) -> None:
    asked, ended = list[str](), list[int]()
    before = signal.signal(number, lambda got, _: ended.append(got))
    try:
        with stopped_by_signals(lambda: asked.append("stop")):
            os.kill(os.getpid(), number)
            assert (asked, ended) == (["stop"], [])
            os.kill(os.getpid(), number)
            assert (asked, ended) == (["stop"], [number])
    finally:
        signal.signal(number, before)


def test_what_runs_under_nohup_goes_on_when_the_terminal_is_closed() -> None:
    asked = list[str]()
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stopped_by_signals(lambda: asked.append("stop")):
            os.kill(os.getpid(), signal.SIGHUP)
        assert asked == []
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
