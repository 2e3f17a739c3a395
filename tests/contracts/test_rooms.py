"""What import-linter cannot say about the rooms of the code."""

import ast
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEVICE = ROOT / "device" / "leukoscope"
THE_COLLECTOR_MAY = {
    "messages",
    "delivery.mqtt",
    "web",
    "web_settings",
    "schema",
    "errors",
    "system.clock",
    "system.standard_output",
}
SPLIT = {"delivery", "system"}
"""Rooms of which the collector may import a part."""


def modules() -> Iterator[str]:
    """Every room, and every module of a room that is only partly open to the collector."""
    for path in DEVICE.iterdir():
        if path.name.startswith("__") or (path.is_file() and path.suffix != ".py"):
            continue
        if path.stem not in SPLIT:
            yield path.stem
        else:
            yield from (f"{path.stem}.{one.stem}" for one in path.iterdir() if not one.name.startswith("__"))


def test_the_central_side_is_kept_from_every_room_that_it_may_not_enter() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (rule,) = [one for one in contracts if one["name"].startswith("The central side sees")]
    closed = {name.removeprefix("leukoscope.") for name in rule["forbidden_modules"]}
    assert closed == set(modules()) - THE_COLLECTOR_MAY


def test_only_messages_knows_the_names_in_a_message() -> None:
    """Migrations rewrite messages of old versions, whose names stay as they were."""
    found = []
    for path in sorted(DEVICE.rglob("*.py")):
        place = path.relative_to(DEVICE)
        if place.parts[0] == "messages" or place.name == "migrations.py":
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Subscript)
                and isinstance(node.value, ast.Name)
                and node.value.id in ("message", "envelope")
                and isinstance(node.slice, ast.Constant)
            ):
                found.append(f"{place}:{node.lineno}")
    assert found == []


def test_no_file_name_of_the_device_or_the_central_side_stands_twice() -> None:
    names = Counter(path.name for path in (ROOT / "device").rglob("*.py") if not path.name.startswith("__"))
    assert len(names) > 250
    assert [name for name, times in names.items() if times > 1] == []


def test_only_schema_parses_toml() -> None:
    """`table_of` refuses what nests too deeply for the parser; a file read past it would end a command with a trace."""
    files = [path for package in DEVICE.parent.glob("leukoscope*") for path in package.rglob("*.py")]
    assert [path.name for path in files if "tomllib.load" in path.read_text("utf-8")] == ["schema.py"]
