"""The worklist of many reports: what is looked for is found, counted and paged, in a database of each kind."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from leukoscope.messages.worklist_line import Line
from leukoscope.outbox.page_database import PageDatabase
from leukoscope.web import Databases
from leukoscope.web.worklist import MOST_COUNTED, PER_PAGE, Search, Worklist, keep_lines
from leukoscope_collector.postgres_store import PostgresSettings
from tests.collector.conftest import cluster

__all__ = ["cluster"]
REPORTS = 1200


def line(number: int, version: int = 1) -> Line:
    """Every tenth is open, every hundredth critical."""
    finished_at = f"2026-11-{1 + number // 60 % 28:02d}T08:{number % 60:02d}:00.000000Z"
    return Line(
        str(UUID(int=number)), version, "clinic", f"scope-{number % 3}", f"S-{number:04d}",
        "final" if number % 10 else "preliminary", finished_at,
        100, 0, 0, 0, number % 100 == 0, "live",
    )  # fmt: skip


class NothingNew:
    def lines_since(self, cursor: str) -> tuple[Sequence[Line], str]:
        return (), cursor


@pytest.fixture(scope="module", params=["file", "server"])
def worklist(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worklist]:
    if request.param == "file":
        file = tmp_path_factory.mktemp("worklist") / "web.sqlite"
        databases = Databases(lambda: PageDatabase(file))
    else:
        server = request.getfixturevalue("cluster").conninfo
        with psycopg.connect(server, autocommit=True) as admin:
            admin.execute("CREATE DATABASE worklist")
        conninfo = server.replace("dbname=postgres", "dbname=worklist")
        databases = Databases(PostgresSettings(driver="postgresql", conninfo=conninfo).open)
    with databases.get().transaction():
        keep_lines(databases.get(), [line(number) for number in range(REPORTS)])
    yield Worklist(databases, NothingNew())  # type: ignore[arg-type]
    databases.close()


def found(worklist: Worklist, text: str = "", state: str = "all", page: int = 1) -> Any:
    return worklist.find(Search(text, state, page))


def test_all_reports_are_counted_and_paged_to_the_last(worklist: Worklist) -> None:
    last = found(worklist, page=24)
    assert (last.total, last.pages, last.page, last.is_all) == (REPORTS, 24, 24, True)
    assert len(last.lines) == PER_PAGE
    beyond = found(worklist, page=99)
    assert (beyond.page, [one.id for one in beyond.lines]) == (24, [one.id for one in last.lines])
    ids = [one.id for page in range(1, 25) for one in found(worklist, page=page).lines]
    assert len(set(ids)) == REPORTS


def test_critical_reports_come_first_then_open_ones_the_newest_first(worklist: Worklist) -> None:
    lines = found(worklist, state="open").lines
    assert found(worklist, state="open").total == REPORTS // 10
    assert [one.critical for one in lines[:12]] == [True] * 12
    assert not any(one.critical for one in lines[12:])
    assert [one.finished_at for one in lines[12:]] == sorted((one.finished_at for one in lines[12:]), reverse=True)


@pytest.mark.parametrize(
    ("text", "total"),
    [("s-0421", 1), ("S-042", 10), ("scope-1", 400), ("nothing", 0), ("%", 0), ("_", 0), (str(UUID(int=7)), 1)],
)
def test_what_is_typed_is_found_and_counted(worklist: Worklist, text: str, total: int) -> None:
    told = found(worklist, text)
    assert (told.total, told.is_all, told.page) == (total, True, 1)
    assert told.pages == max(1, -(-total // PER_PAGE))
    assert len(told.lines) == min(total, PER_PAGE)


def test_of_a_text_that_fits_very_many_no_more_are_counted_than_pages_are_turned(worklist: Worklist) -> None:
    told = found(worklist, "s-")
    assert (told.total, told.is_all, told.pages) == (MOST_COUNTED, False, MOST_COUNTED // PER_PAGE)
    assert found(worklist, "s-", page=20).page == 20


def test_of_each_report_the_highest_version_is_kept_in_whatever_order_they_come(tmp_path: Path) -> None:
    databases = Databases(lambda: PageDatabase(tmp_path / "web.sqlite"))
    signed = replace(line(10, 3), status="final", critical=False)
    for batch in ([signed, line(10, 2)], [line(10)], [line(11), line(11, 2)]):
        with databases.get().transaction():
            keep_lines(databases.get(), batch)
    kept = {one.id: one for one in found(Worklist(databases, NothingNew()), "").lines}  # type: ignore[arg-type]
    assert kept[signed.id] == signed
    assert kept[str(UUID(int=11))].version == 2
    databases.close()
