"""Suspects in the worklist: cells that may be blasts, until a person has named them."""

from dataclasses import replace
from pathlib import Path

from leukoscope.messages.json_format import from_bytes
from leukoscope.messages.worklist_line import Line, line_of
from leukoscope.outbox.record_report import record
from leukoscope.outbox.report_lookup import reports_since
from leukoscope.outbox.store import Outbox
from leukoscope.reviewing.decision import Decision
from leukoscope.reviewing.desk import Desk, desk_of
from leukoscope.specimen.lifecycle import Action
from leukoscope.system.clock import utc_now
from tests.messages.examples import IDENTITY, report
from tests.web.made import cells_of, grounds


def lines(outbox: Outbox) -> list[Line]:
    return [line_of(from_bytes(payload)) for payload in reports_since(outbox, "", 10)[0]]


def desk_with_suspects(folder: Path, outbox: Outbox, suspects: int | None) -> Desk:
    """One sample of three lymphocytes and an unsure cell; the first two cells may be blasts."""
    cells = cells_of({"lymphocyte": 3, "unsure": 1})
    cells[:2] = [replace(cell, suspect=("blast",)) for cell in cells[:2]]
    counted = replace(report(), version=1, suspects=suspects)
    record(counted, outbox, IDENTITY, now=utc_now, cells=cells, grounds=grounds().to_json())
    return desk_of(outbox, folder, IDENTITY, utc_now)


def test_suspects_stand_in_the_worklist_until_a_person_has_named_them(tmp_path: Path) -> None:
    with Outbox.open(tmp_path / "outbox.sqlite") as outbox:
        desk = desk_with_suspects(tmp_path, outbox, suspects=2)
        desk.take(report().id, Decision(Action.REVIEW, "Dr. Ada", relabel={1: "blast"}))
        desk.take(report().id, Decision(Action.REVIEW, "Dr. Ada", confirm=frozenset({2})))
        assert [line.suspects for line in lines(outbox)] == [2, 1, 0]


def test_a_suspect_that_a_person_cannot_name_stays_one(tmp_path: Path) -> None:
    with Outbox.open(tmp_path / "outbox.sqlite") as outbox:
        desk = desk_with_suspects(tmp_path, outbox, suspects=2)
        desk.take(report().id, Decision(Action.REVIEW, "Dr. Ada", relabel={1: "unsure"}))
        assert lines(outbox)[-1].suspects == 2


def test_a_report_of_a_version_that_said_nothing_of_suspects_is_listed(tmp_path: Path) -> None:
    with Outbox.open(tmp_path / "outbox.sqlite") as outbox:
        desk_with_suspects(tmp_path, outbox, suspects=None)
        assert [line.suspects for line in lines(outbox)] == [0]
