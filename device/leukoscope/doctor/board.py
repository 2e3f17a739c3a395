"""The board itself: is it hot, is its supply weak, is its memory full?"""

from collections.abc import Sequence
from pathlib import Path

from leukoscope.errors import BoardError
from leukoscope.sentence import Sentence, Verbatim

SYSTEM = Path("/")
HOT_C = 80.0
"""Raspberry Pi and Jetson slow down above 80 to 85 degrees."""
LOW_MEMORY_MIB = 150
"""Free memory below which the system may end a program; `tools/benchmark.py` measures what a run takes."""
_THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
_NOW = ((0, "the supply voltage is too low"), (2, "the processor is slowed down"), (3, "it is too hot"))
_SINCE_BOOT = ((16, "the supply voltage was too low"), (18, "the processor was slowed down"), (19, "it was too hot"))


def check_temperature(system: Path = SYSTEM) -> str:
    """The hottest sensor.

    Raises:
        BoardError: it is too hot.
    """
    found = []
    for path in system.glob("sys/class/thermal/thermal_zone*/temp"):
        try:
            found.append(int(path.read_text("ascii")) / 1000)
        except (OSError, ValueError):
            continue
    if not found:
        return "this board has no sensor"
    hottest = max(found)
    if hottest > HOT_C:
        raise BoardError(
            Sentence("{found} °C, expected {most} at most", found=f"{hottest:.0f}", most=f"{HOT_C:.0f}"),
            "give it air, or a fan",
        )
    return Verbatim(f"{hottest:.0f} °C")


def check_power(system: Path = SYSTEM) -> str:
    """What a Raspberry Pi's firmware says about its supply (bits as in `vcgencmd get_throttled`).

    Raises:
        BoardError: the supply is too weak or the processor is slowed down.
    """
    try:
        flags = int((system / _THROTTLED).read_text("ascii").strip(), 16)
    except (OSError, ValueError):
        return "this board does not tell"
    now = [words for bit, words in _NOW if flags >> bit & 1]
    before = [words for bit, words in _SINCE_BOOT if flags >> bit & 1]
    if now or before:
        words = _listed(now) if now else Sentence("{words} since the last boot", words=_listed(before))
        raise BoardError(words, "use the board's own power supply and a short cable, and cool it")
    return "the supply was good since the last boot"


def check_memory(system: Path = SYSTEM) -> str:
    """How much memory programs can still get.

    Raises:
        BoardError: too little.
    """
    try:
        lines = (system / "proc/meminfo").read_text("ascii").splitlines()
        sizes = {name: int(rest.split()[0]) // 1024 for name, _, rest in (line.partition(":") for line in lines)}
        available, total = sizes["MemAvailable"], sizes["MemTotal"]
    except (OSError, ValueError, KeyError, IndexError):
        return "this system does not tell"
    if available < LOW_MEMORY_MIB:
        raise BoardError(
            Sentence("{free}, expected {least}", free=_free(available, total), least=LOW_MEMORY_MIB),
            "end other programs",
        )
    return _free(available, total)


def _listed(words: Sequence[str]) -> str:
    first, *rest = words
    return Sentence("{first}, {rest}", first=first, rest=_listed(rest)) if rest else first


def _free(available_mib: int, total_mib: int) -> Sentence:
    return Sentence("{available} of {total} MiB free", available=available_mib, total=total_mib)
