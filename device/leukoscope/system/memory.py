"""The memory of a process that serves for weeks beside a count."""

import ctypes
import gc


def give_back() -> None:
    """Collect garbage, and return what was freed to the system where the C library can (glibc)."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
