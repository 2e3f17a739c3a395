"""Pages name files, commands and options that are there, and the administrator's page names every command."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.core import TyperGroup

from leukoscope.cli.main import app
from tests.docs.test_docs import PAGES, ROOT

PLACEHOLDER = "ROOM"
PATH = re.compile(r"(?<![\w/.-])(?:\./)?((?:tools|tests|systemd|models|calibration|device)/[\w./@-]*\w)")
CODE = re.compile(r"`([^`\n]+)`|^ {4,}(\S.*)$", re.MULTILINE)
SPOKEN = re.compile(r"(?:^|bin/|-- |-u leukoscope )leukoscope ([a-z].*)$")


def commands_of(group: TyperGroup, before: str = "") -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        yield f"{before}{name}", command
        if isinstance(command, TyperGroup):
            yield from commands_of(command, f"{before}{name} ")


ROOT_COMMAND = typer.main.get_command(app)
assert isinstance(ROOT_COMMAND, TyperGroup)
COMMANDS = dict(commands_of(ROOT_COMMAND))


def spoken(page: str) -> Iterator[str]:
    """What follows `leukoscope ` in the code of a page, to the end of the command."""
    text = (ROOT / page).read_text("utf-8").replace("\\\n", " ").replace("\\|", "|")
    for inline, block in CODE.findall(text):
        if match := SPOKEN.search(inline or block):
            yield re.split(r" [#;>&] | \| ", match[1])[0]


def named(words: list[str]) -> list[str]:
    """The commands of a line such as `bundle install|list --bench FILE`."""
    chosen = words[0].split("|")
    if any(isinstance(COMMANDS.get(one), TyperGroup) for one in chosen) and len(words) > 1 and words[1][0].islower():
        return [f"{one} {below}" for one in chosen for below in words[1].split("|")]
    return chosen


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_is_there(page: str) -> None:
    paths = PATH.findall((ROOT / page).read_text("utf-8"))
    assert [path for path in paths if PLACEHOLDER not in path and not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_is_there_with_its_options(page: str) -> None:
    wrong = []
    for line in spoken(page):
        words = line.split()
        for name in named(words):
            command = COMMANDS.get(name)
            known = {option for one in getattr(command, "params", ()) for option in one.opts} | {"--help"}
            asked = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", line))
            if command is None or (asked - known and not isinstance(command, TyperGroup)):
                wrong.append(line)
    assert wrong == []


def test_the_administrator_s_page_names_every_command() -> None:
    said = {name for line in spoken("device/docs/administrator.md") for name in named(line.split())}
    lacking = {name for name, command in COMMANDS.items() if not isinstance(command, TyperGroup)} - said
    assert lacking == set()


def test_commands_are_found_in_pages() -> None:
    found = {name for page in PAGES for line in spoken(page) for name in named(line.split())}
    assert {"run", "doctor", "report list", "bundle install", "calibrate flat", "export"} <= found
