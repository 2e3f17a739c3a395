"""Which settings hold a secret, and settings without these."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

LEFT_OUT = "[left out]"
_SECRET_KEY = re.compile(r"pass|secret|token|key|pin_code|credential", re.IGNORECASE)
_NEVER_A_SECRET = {"password_file", "client_key", "keepalive_s", "keys"}
"""Paths and times, public keys and the keys of a keyboard: where a secret lies, not what it is."""


def without_secrets(content: Any) -> Any:
    """Settings with every secret value left out."""
    if isinstance(content, dict):
        return {key: LEFT_OUT if is_secret(key) else without_secrets(value) for key, value in content.items()}
    if isinstance(content, list):
        return [without_secrets(value) for value in content]
    return content


def secret_values(content: Any) -> Iterator[str]:
    """Every secret value in settings."""
    if isinstance(content, Mapping):
        for key, value in content.items():
            if is_secret(key) and isinstance(value, str):
                yield value
            else:
                yield from secret_values(value)
    elif isinstance(content, list):
        for value in content:
            yield from secret_values(value)


def is_secret(key: str) -> bool:
    """Whether what a setting of this name holds must not be shown."""
    return key not in _NEVER_A_SECRET and _SECRET_KEY.search(key) is not None
