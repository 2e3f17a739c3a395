"""How the log is written: plain lines on a desk, one logfmt line per record under journald, no storm of the same."""

import logging
import os
import time
from collections.abc import Callable, Mapping

QUIET_S = 60.0
"""How long a message that repeats itself is only counted."""
_MOST_KNOWN = 200
_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
"""Python's levels in syslog(3)'s numbers."""


def set_up_logs(*, drawn_over: bool, environ: Mapping[str, str] = os.environ) -> None:
    """Send the log to standard error.

    Args:
        drawn_over: a display is drawn in the same terminal; only warnings are then worth tearing it.
        environ: JOURNAL_STREAM in it says that journald reads.
    """
    handler = logging.StreamHandler()
    if "JOURNAL_STREAM" in environ:
        handler.setFormatter(Logfmt())
    else:
        handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    handler.addFilter(Repeats(time.monotonic))
    logging.basicConfig(level=logging.WARNING if drawn_over else logging.INFO, handlers=[handler])


class Logfmt(logging.Formatter):
    """`<4>level=warning part=publisher msg="…"`; journald takes the number for the priority."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, whatever the message holds."""
        message = record.getMessage()
        if record.exc_info:
            message = f"{message} {self.formatException(record.exc_info)}"
        priority = next((number for level, number in _PRIORITIES if record.levelno >= level), 7)
        return f"<{priority}>level={record.levelname.lower()} part={record.module} msg={_quoted(message)}"


class Repeats(logging.Filter):
    """Lets a message through once a minute and then says how often it was held back."""

    def __init__(self, clock_s: Callable[[], float]) -> None:
        super().__init__()
        self._clock_s = clock_s
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """False for what was said a moment ago."""
        # A report that found no place is in this log or nowhere.
        if record.levelno >= logging.CRITICAL:
            return True
        message = record.getMessage()
        key, now_s = (record.name, message), self._clock_s()
        logged_at_s, held_back = self._seen.get(key, (-QUIET_S, 0))
        if now_s - logged_at_s < QUIET_S:
            self._seen[key] = (logged_at_s, held_back + 1)
            return False
        if held_back:
            record.msg, record.args = f"{message} (and {held_back} times more)", ()
        if len(self._seen) >= _MOST_KNOWN:
            self._seen.clear()
        self._seen[key] = (now_s, 0)
        return True


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f'"{escaped}"'
