"""The short form of the campaign: a few cases of each kind; `tools/faults` runs as many as you like."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.faults import connections, copies, disks, files, kills, parts, powercut, servers
from tests.faults.campaign import Kind, Row, try_kind
from tests.faults.nursery import Nursery

CASES = {kills.KILLS.name: 3, kills.COMMITS.name: 2, powercut.POWER.name: 2}
SHORT = [
    kills.KILLS,
    kills.COMMITS,
    powercut.POWER,
    files.FILES,
    *copies.KINDS,
    *disks.KINDS,
    *(
        kind
        for kind in (*parts.KINDS, *servers.KINDS, *connections.KINDS)
        if kind.name
        in {
            "camera hangs",
            "camera wrong size",
            "display absent",
            "button stuck",
            "broker refuses",
            "broker flaps",
            "broker busy",
            "name used twice",
            "command sent again",
            "odd ids sent",
            "clock jumps in a sample",
            "clock steps",
            "memory 512 MB",
        }
    ),
]
"""Switching bundles is killed step by step in `bundles_installed`; the rest is left to the long form."""


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    with Nursery() as nursery:
        yield nursery


def tried(kind: Kind, nursery: Nursery) -> Row:
    row = try_kind(kind, nursery, CASES.get(kind.name, 1))
    if row.skipped:
        pytest.skip(row.skipped)
    assert row.tried
    return row


@pytest.mark.parametrize("kind", SHORT, ids=lambda kind: kind.name)
def test_no_fault_loses_or_doubles_a_finished_report(kind: Kind, nursery: Nursery) -> None:
    row = tried(kind, nursery)
    assert not row.failures
    assert (row.survived, row.lost, row.doubled) == (row.tried, 0, 0)


def test_a_spoilt_file_is_another_than_before(tmp_path: Path) -> None:
    for way in files.WAYS:
        path = tmp_path / "file"
        path.write_bytes(b"some content")
        files.spoil(path, way, Random(1))
        assert path.read_bytes() != b"some content", way
