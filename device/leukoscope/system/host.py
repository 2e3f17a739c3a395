"""What the operating system knows about this boot: its name, its clock, and the board's health."""

import ctypes
import os
import resource
import shutil
import time
import uuid
from pathlib import Path

_BOARD_MODEL = Path("/proc/device-tree/model")
_PROCESSORS = Path("/proc/cpuinfo")
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_CPU_TEMPERATURE = Path("/sys/class/thermal/thermal_zone0/temp")
_THIS_PROCESS = str(uuid.uuid4())
_TIMEX_BYTES = 256
"""At least the size of the kernel's struct timex on every 64-bit Linux (208 bytes)."""
_TIME_ERROR = 5
"""adjtimex(2): the clock is not synchronised."""


def board_name() -> str:
    """What the board calls itself; a desk is called by its processor; empty where nothing tells."""
    for path, before in ((_BOARD_MODEL, ""), (_PROCESSORS, "model name")):
        try:
            lines = path.read_text("utf-8", errors="replace").rstrip("\0\n").splitlines()
        except OSError:
            continue
        named = (line.removeprefix(before).strip(" :\t\0") for line in lines if line.startswith(before))
        if name := next(named, ""):
            return name
    return ""


def boot_id() -> str:
    """The kernel's name for this boot; where there is none, a name for this process."""
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return _THIS_PROCESS


def clock_synchronised() -> bool | None:
    """Whether the kernel holds the clock for synchronised (adjtimex, read only); None where it cannot tell."""
    try:
        # Of the library this process runs on; looking for its file would start a program at each call.
        adjtimex = ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError, TypeError):
        return None
    state = int(adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    return None if state < 0 else state != _TIME_ERROR


def uptime_s() -> float:
    """Seconds since the boot."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def measurements(storage: Path) -> dict[str, float | None]:
    """The board's health, unit in each name; None where it cannot tell.

    Args:
        storage: the folder where results are kept.
    """
    try:
        temperature_c = int(_CPU_TEMPERATURE.read_text("ascii")) / 1000
    except (OSError, ValueError):
        temperature_c = None
    try:
        free_mib = shutil.disk_usage(storage).free / 2**20
    except OSError:
        free_mib = None
    return {
        "cpu_temperature_c": temperature_c,
        "load_1min": os.getloadavg()[0],
        "storage_free_mib": free_mib,
        "memory_peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
