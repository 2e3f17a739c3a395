"""A copy of a bench that has counted: what is signed there is not signed in the original."""

import shutil
import tomllib
from pathlib import Path

import tomli_w

from leukoscope.outbox.store import Outbox

STATE = "state"
"""The copy's storage folder, beside its settings."""


def copy_of(bench: Path, folder: Path) -> Path:
    """Copy settings and storage into a folder, without the accounts of its page; returns the copy's settings file."""
    content = tomllib.loads(bench.read_text("utf-8"))
    shutil.copytree(content["storage"]["folder"], folder / STATE, ignore=shutil.ignore_patterns("web.sqlite*"))
    # Opened once: an outbox of older software is brought up to date.
    Outbox.open(folder / STATE / "outbox.sqlite").close()
    content["storage"]["folder"] = str(folder / STATE)
    copy = folder / "bench.toml"
    copy.write_text(tomli_w.dumps(content), "utf-8")
    return copy
