"""What may be the name of a specimen, wherever it comes from: a scanner, a keyboard, a command, a page or an option."""

import re
import unicodedata

MOST_ID_CHARS = 64
UNREADABLE = "\ufffd"
"""Stands in a scanned code for what could not be read; no id has it."""
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters and marks that show nothing: two ids that differ in them look alike."""


def why_not_an_id(sample_id: str, pattern: str = ".+") -> str | None:
    """What is wrong with a name in a few words, "expected …"; None when a specimen may be called so.

    Args:
        sample_id: as it was scanned, typed or sent.
        pattern: the regular expression of the site that all of it must match.
    """
    if not 0 < len(sample_id) <= MOST_ID_CHARS:
        return f"expected 1 to {MOST_ID_CHARS} printable characters"
    if sample_id.strip() != sample_id:
        return "expected no blanks at its ends"
    if UNREADABLE in sample_id:
        return "expected a code that could be read whole"
    if not sample_id.isprintable() or _looks_alike(sample_id):
        return "expected printable characters, none that is invisible, in two parts, or turns the direction of reading"
    if not re.fullmatch(pattern, sample_id):
        return f"expected what samples.pattern says, {pattern}"
    return None


def _looks_alike(sample_id: str) -> bool:
    # Letters in two parts look as those in one do.
    in_two_parts = not unicodedata.is_normalized("NFC", sample_id)
    return in_two_parts or any(letter in _INVISIBLE or _selects_variant(letter) for letter in sample_id)


def _selects_variant(letter: str) -> bool:
    return unicodedata.name(letter, "").startswith("VARIATION SELECTOR")
