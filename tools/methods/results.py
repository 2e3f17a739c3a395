"""Keeps what was measured, row by row, so that a run goes on where it was stopped."""

import ast
import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

Figure = float | str | None
"""None: not measured, because the method has no such part."""


@dataclass(frozen=True, slots=True)
class Row:
    """One method's figures."""

    kind: str
    name: str
    key: str
    """Changes with the method's code, the amount of pictures and, where it uses them, the shipped networks."""
    figures: Mapping[str, Figure] = field(default_factory=dict)
    note: str = ""
    """Why there are no figures, or what has to be known beside them."""


class Results:
    """The rows in a JSON file, written anew after each one; several runs may add to it at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows: dict[tuple[str, str], Row] = {}
        self._read()

    def has(self, kind: str, name: str, key: str) -> bool:
        """Whether this row was measured with this very key."""
        row = self._rows.get((kind, name))
        return row is not None and row.key == key and bool(row.figures)

    def put(self, row: Row) -> None:
        """Keep a row, on the disk too."""
        with self._changing():
            self._rows[row.kind, row.name] = row

    def keep_only(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Forget rows that no method stands for any more."""
        known = set(wanted)
        with self._changing():
            self._rows = {one: row for one, row in self._rows.items() if one in known}

    def of(self, kind: str) -> list[Row]:
        """All rows of a kind."""
        return [row for row in self._rows.values() if row.kind == kind]

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """What others wrote since is read before, and the whole is written after."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            self._read()
            yield
            part = self._path.with_suffix(".part")
            ordered = [asdict(self._rows[one]) for one in sorted(self._rows)]
            part.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
            part.replace(self._path)
        finally:
            os.close(folder)

    def _read(self) -> None:
        if self._path.exists():
            stored = [Row(**one) for one in json.loads(self._path.read_text(encoding="utf-8"))]
            self._rows = {(row.kind, row.name): row for row in stored}


def key_of(parts: Iterable[str], files: Iterable[Path]) -> str:
    """A short digest of words and of what the code in files does, whatever its layout and comments."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() + b"\0")
    for path in files:
        digest.update(_code_of(path.read_text(encoding="utf-8")).encode())
    return digest.hexdigest()[:16]


def _code_of(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:]
    return ast.dump(tree)
