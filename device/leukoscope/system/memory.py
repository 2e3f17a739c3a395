"""What malloc keeps of memory that was freed, and how it is given back to the system."""

import ctypes
import gc

LARGE_BYTES = 2_000_000
_M_MMAP_THRESHOLD = -3
"""Of malloc.h of the GNU C library."""


def give_back() -> None:
    """Collect garbage, and return what was freed to the system where the C library can (glibc)."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def give_back_large_buffers() -> None:
    """Return buffers of more than `LARGE_BYTES` to the system as soon as they are freed.

    By itself malloc raises this limit to 32 MiB at the first such buffer and keeps the others (mallopt(3)): a third of
    the memory that pictures of some megapixels take. Other C libraries than GNU's do without.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
