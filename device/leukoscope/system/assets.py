"""Where bundles, calibrations and benches lie, in a checkout and in an installation."""

import sys
from collections.abc import Iterator
from pathlib import Path

from leukoscope.errors import SettingsError


def find_asset(room: str, name: str, near: Path | None = None) -> Path:
    """The path of something that travels with the software.

    A name is looked up beside the settings file, in the checkout, and in the installation; a path
    that exists is taken as it is.

    Args:
        room: "models" or "calibration".
        name: a file or folder in that room, or a path to one elsewhere.
        near: the folder of the settings file that named it.

    Raises:
        SettingsError: it is in none of these places.
    """
    tried = []
    for place in _places(room, name, near):
        if place.exists():
            return place
        tried.append(str(place))
    raise SettingsError(f"{room}: no {name!r} found (looked at {', '.join(tried)})", "check its name in the settings")


def _places(room: str, name: str, near: Path | None) -> Iterator[Path]:
    if near is not None:
        yield near / name
    else:
        yield Path(name)
    checkout = Path(__file__).resolve().parents[3]
    if (checkout / "pyproject.toml").exists():
        yield checkout / room / name
    yield Path(sys.prefix) / "share" / "leukoscope" / room / name
