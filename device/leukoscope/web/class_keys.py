"""The key that names each class."""

from collections.abc import Mapping, Sequence

RESERVED = "unsx"
"""Keys that name nothing: undo, next, sign, mark."""
_LETTERS = "abcdefghijklmopqrtvwyz0123456789"
_USUAL = {
    "b": "blast", "l": "lymphocyte", "m": "monocyte", "e": "eosinophil", "g": "segmented", "d": "band", "a": "basophil",
    "y": "myelocyte", "t": "metamyelocyte", "p": "promyelocyte", "r": "erythroblast", "v": "lymphocyte_variant",
    "c": "plasma", "o": "promonocyte", "f": "artefact", "w": "smudge",
}  # fmt: skip
"""What the keys are where the settings do not say; a bundle may have other classes, which get free letters."""


def keys_for(classes: Sequence[str], chosen: Mapping[str, str]) -> dict[str, str]:
    """Class by key: those that the settings give, and for the others the usual letter, or the first free one of
    their name.

    Args:
        classes: what a cell may be called.
        chosen: class by key, from the settings.
    """
    keys = {key: name for key, name in chosen.items() if name in classes and key not in RESERVED}
    for key, name in _USUAL.items():
        if name in classes and key not in keys and name not in keys.values():
            keys[key] = name
    for name in classes:
        if name in keys.values():
            continue
        free = next((sign for sign in (*name, *_LETTERS) if sign in _LETTERS and sign not in keys), None)
        if free is not None:
            keys[free] = name
    return keys
