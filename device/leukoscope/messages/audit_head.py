"""How far a device's audit trail had come, as every report says it."""

from dataclasses import dataclass

BEFORE_ALL = "0" * 64
"""What the first entry has for the hash of its predecessor."""


@dataclass(frozen=True, slots=True)
class AuditHead:
    """The last entry of a trail: a copy of it kept elsewhere shows later whether the trail was cut or rewritten."""

    entries: int
    """How many there are."""
    hash: str
    """SHA-256 of the last one, hexadecimal."""


NOTHING_YET = AuditHead(0, BEFORE_ALL)
