"""The locks hold all that pyproject.toml asks for, in versions that it takes, with hashes."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ROOT / "systemd" / "locks"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
EXPECTED = [
    (extra, processor, python)
    for extra in ("device", "server")
    for processor in ("x86_64", "aarch64")
    for python in ("3.11", "3.13")
]


def pinned(lock: Path) -> dict[str, Version]:
    """Name and version of each package of a lock; what is no line of one with hashes is an error."""
    found = {}
    for entry in lock.read_text("ascii").replace("\\\n", "").splitlines():
        line = re.fullmatch(r"([a-z0-9-]+)==(\S+)(?: ;[^;]+)?((?:\s+--hash=sha256:[0-9a-f]{64})+)", entry)
        assert line is not None, entry[:100]
        assert line[1] not in found
        found[line[1]] = Version(line[2])
    return found


def asked(extra: str, environment: dict[str, str]) -> Iterator[Requirement]:
    """What the package with this extra needs on a machine, and what builds it."""
    waiting = [Requirement(f"leukoscope[{extra}]")]
    waiting += map(Requirement, (*PROJECT["project"]["dependencies"], *PROJECT["build-system"]["requires"]))
    while waiting:
        one = waiting.pop()
        if one.marker is not None and not one.marker.evaluate(environment):
            continue
        if one.name == "leukoscope":
            for named in one.extras:
                waiting += map(Requirement, PROJECT["project"]["optional-dependencies"][named])
        else:
            yield one


def test_there_is_a_lock_of_each_kind_for_each_processor_and_python_and_no_other() -> None:
    expected = {LOCKS / extra / f"{processor}-python{python}.txt" for extra, processor, python in EXPECTED}
    assert {file for file in LOCKS.rglob("*") if file.is_file()} == expected


@pytest.mark.parametrize(("extra", "processor", "python"), EXPECTED)
def test_a_lock_has_all_that_the_package_asks_for_in_versions_it_takes(extra: str, processor: str, python: str) -> None:
    found = pinned(LOCKS / extra / f"{processor}-python{python}.txt")
    environment = {
        "platform_machine": processor,
        "python_version": python,
        "python_full_version": f"{python}.0",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    lacking = [
        str(one)
        for one in asked(extra, environment)
        if (version := found.get(canonicalize_name(one.name))) is None or version not in one.specifier
    ]
    assert lacking == [], "run tools/lock"


def test_what_the_review_page_offers_is_installed_with_it() -> None:
    names = {one.name for one in asked("web", {"extra": ""})}
    assert "reportlab" in names
    assert {"starlette", "uvicorn"} <= names


def test_the_installer_and_the_locks_name_the_same_extra() -> None:
    assert ".[device]" in (ROOT / "tools" / "install").read_text("utf-8")
    assert "for what in device server" in (ROOT / "tools" / "lock").read_text("utf-8")
