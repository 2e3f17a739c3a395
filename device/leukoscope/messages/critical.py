"""Which reports a laboratory should telephone about: the one definition of page, collector and alerts."""

from collections.abc import Mapping
from typing import Any

ABOUT = "blast"
"""How the codes of findings about blasts begin."""
_TOO_UNSURE = "cannot_be_excluded"
"""The classifier's usual mistakes may be all there is; such findings stand in many normal reports."""


def critical_codes(message: Mapping[str, Any]) -> tuple[str, ...]:
    """Codes of a report's findings that blasts, seen or suspected, are likely or certain."""
    codes = {str(one.get("code", "")) for one in message["findings"] if one.get("certainty", "certain") != _TOO_UNSURE}
    return tuple(sorted(code for code in codes if code.startswith(ABOUT)))
