"""Whether a folder outlives the power: what is mounted where, as the kernel tells it (proc(5), mountinfo)."""

from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
_IN_MEMORY = {"tmpfs", "ramfs"}


def kept_in_memory(folder: Path, mounts: Path = MOUNTS) -> bool:
    """True for a tmpfs, and for the overlay that makes a read-only root look writable (overlayroot).

    False where the system cannot tell.
    """
    try:
        lines = mounts.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return False
    place = folder.resolve()
    deepest, kind, source = Path(), "", ""
    for line in lines:
        before, _, after = line.partition(" - ")
        # Later mounts lie over earlier ones on the same place.
        point = Path(before.split()[4].replace("\\040", " "))
        if place.is_relative_to(point) and len(point.parts) >= len(deepest.parts):
            deepest, (kind, source) = point, after.split()[:2]
    return kind in _IN_MEMORY or (kind == "overlay" and source == "overlayroot")
