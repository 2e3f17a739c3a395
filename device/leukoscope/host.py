"""What the operating system knows about this boot: its name, and whether the clock can be believed."""

import ctypes
import ctypes.util
import uuid
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_THIS_PROCESS = str(uuid.uuid4())
_TIMEX_BYTES = 256
"""At least the size of the kernel's struct timex on every 64-bit Linux (208 bytes)."""
_TIME_ERROR = 5
"""adjtimex(2): the clock is not synchronised."""


def boot_id() -> str:
    """The kernel's name for this boot; where there is none, a name for this process."""
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return _THIS_PROCESS


def clock_synchronised() -> bool | None:
    """Whether the kernel holds the clock for synchronised (adjtimex, read only); None where it cannot tell."""
    try:
        adjtimex = ctypes.CDLL(ctypes.util.find_library("c")).adjtimex
    except (OSError, AttributeError):
        return None
    state = int(adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    return None if state < 0 else state != _TIME_ERROR
