"""Brings in the methods of a folder by the names of their files; a missing library stops one row, not the table."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

EXTRA = "leukoscope[methods]"


def load(folder: str, name: str) -> Any:
    """The METHOD of a file; a library that it wants and that is not installed raises ModuleNotFoundError.

    Args:
        folder: a package beside this file.
        name: of the file in it, without .py.
    """
    return import_module(f"methods.{folder}.{name}").METHOD


def missing(error: ModuleNotFoundError) -> str:
    """What to do about a library that is not installed."""
    return f"needs pip install '{EXTRA}' (no module named {error.name})"


def sources(*names: str) -> Sequence[Path]:
    """Files of this tool by their names relative to it."""
    here = Path(__file__).parent
    return [here / name for name in names]
