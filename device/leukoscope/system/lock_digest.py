"""Which lock the software was installed from."""

import hashlib
import sys
from pathlib import Path

LOCK = Path("share", "leukoscope", "lock.txt")
"""Where `tools/install` leaves it, under the environment."""


def lock_digest(environment: Path | None = None) -> str | None:
    """sha256 of the lock, hexadecimal; None where the software was not installed from one.

    Args:
        environment: its folder; the one this program runs in by default.
    """
    try:
        content = ((environment or Path(sys.prefix)) / LOCK).read_bytes()
    except OSError:
        return None
    return hashlib.sha256(content).hexdigest()
