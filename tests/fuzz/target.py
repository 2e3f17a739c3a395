"""Something that reads what others wrote, and ways to spoil what it reads."""

import io
import json
import tomllib
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzz.mutations import as_json, as_toml, spoil_bytes, spoil_tree

Spoil = Callable[[Random], bytes]
Read = Callable[[bytes, Path], None]


@dataclass(frozen=True, slots=True)
class Target:
    """Something that reads input."""

    name: str
    spoil: Spoil
    """A case."""
    read: Read
    """Takes it in, in an empty folder; returns where it is valid, and raises a LeukoscopeError where it is not."""
    valid: Callable[[], Sequence[bytes]]
    """What was spoilt: all of it is taken."""
    weight: float = 1.0
    """Share of the cases, where one takes long."""


def of_bytes(valid: Callable[[], Sequence[bytes]]) -> Spoil:
    """Cases of a format without a mutator of its own."""

    def spoil(rng: Random) -> bytes:
        seeds = valid()
        return spoil_bytes(rng.choice(seeds), rng, seeds)

    return spoil


def of_trees(valid: Callable[[], Sequence[bytes]], parse: Callable[[str], Any], write: Callable[[Any], bytes]) -> Spoil:
    """Two cases in three are spoilt as trees, the others as bytes."""
    as_bytes = of_bytes(valid)

    def spoil(rng: Random) -> bytes:
        if rng.random() < 0.33:
            return as_bytes(rng)
        return write(spoil_tree(parse(rng.choice(valid()).decode()), rng))

    return spoil


def of_toml(valid: Callable[[], Sequence[bytes]]) -> Spoil:
    """Cases of TOML."""
    return of_trees(valid, tomllib.loads, as_toml)


def of_json(valid: Callable[[], Sequence[bytes]]) -> Spoil:
    """Cases of JSON."""
    return of_trees(valid, json.loads, as_json)


def repacked(archive: bytes, rng: Random) -> bytes:
    """A zip archive whose files are spoilt and whose checksums are right."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(zipfile.ZipInfo(name), spoil_bytes(content, rng, [content]))
    return out.getvalue()
