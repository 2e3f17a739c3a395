"""Which samples were begun, and what the next may be called."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from leukoscope.errors import OutboxError
from leukoscope.service.sample_ids import SampleIds, Verdict
from leukoscope.service.sample_register import SampleRegister
from leukoscope.settings import SampleSettings

NOON = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)


def test_a_name_is_known_from_the_beginning_of_its_sample_also_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "samples.jsonl"
    register = SampleRegister(path)
    assert not register.knows("A-1")
    register.note("begun", "A-1", {"report_id": "r"})
    assert register.knows("A-1")
    again = SampleRegister(path)
    assert again.knows("A-1") and again.begun == 1
    assert json.loads(path.read_text()) == {"event": "begun", "sample_id": "A-1", "report_id": "r"}


def test_a_discarded_sample_stands_in_the_register_and_its_name_is_free_again(tmp_path: Path) -> None:
    path = tmp_path / "samples.jsonl"
    register = SampleRegister(path)
    for _ in range(2):
        register.note("begun", "A-1", {})
    register.note("discarded", "A-1", {"fields": 12})
    assert register.knows("A-1"), "the first sample of this name was not discarded"
    register.note("discarded", "A-1", {"fields": 0})
    assert not register.knows("A-1")
    assert "discarded" in path.read_text()


@pytest.mark.parametrize("damage", [b'{"event": "beg', b"\0\0\0", b"[1, 2]\n", b"null"])
def test_damage_costs_its_own_line_and_not_the_next(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "samples.jsonl"
    SampleRegister(path).note("begun", "A-1", {})
    with path.open("ab") as file:
        file.write(damage)
    SampleRegister(path).note("begun", "A-2", {})
    again = SampleRegister(path)
    assert again.knows("A-1") and again.knows("A-2") and again.begun == 2


def test_a_register_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    register = SampleRegister(tmp_path / "file" / "samples.jsonl")
    with pytest.raises(OutboxError, match=r"cannot be written .*: make room"):
        register.note("begun", "A-1", {})
    assert register.knows("A-1")


@pytest.fixture
def register(tmp_path: Path) -> SampleRegister:
    register = SampleRegister(tmp_path / "samples.jsonl")
    register.note("begun", "A-1", {})
    return register


def test_a_new_id_is_taken_and_a_used_one_only_when_it_comes_twice(register: SampleRegister) -> None:
    ids = SampleIds(SampleSettings(confirm_s=5), register)
    assert ids.offer("A-2", 0.0) is Verdict.TAKEN
    assert ids.offer("A-1", 10.0) is Verdict.USED_BEFORE
    assert ids.offer("A-1", 15.0) is Verdict.TAKEN


def test_the_second_time_must_come_soon_and_right_after_the_first(register: SampleRegister) -> None:
    ids = SampleIds(SampleSettings(confirm_s=5), register)
    assert ids.offer("A-1", 0.0) is Verdict.USED_BEFORE
    assert ids.offer("A-1", 5.1) is Verdict.USED_BEFORE
    assert ids.offer("A-2", 6.0) is Verdict.TAKEN
    assert ids.offer("A-1", 7.0) is Verdict.USED_BEFORE


@pytest.mark.parametrize("code", ["", " A", "A\x07", "A" * 65, "A\n", "\u202eA", "A 1"])
def test_what_is_no_id_is_refused(register: SampleRegister, code: str) -> None:
    ids = SampleIds(SampleSettings(pattern="[A-Z0-9-]+"), register)
    assert ids.offer(code, 0.0) is Verdict.NOT_AN_ID


def test_the_pattern_must_match_the_whole_id(register: SampleRegister) -> None:
    ids = SampleIds(SampleSettings(pattern="[0-9]{4}"), register)
    assert ids.offer("2026", 0.0) is Verdict.TAKEN
    assert ids.offer("20261", 0.0) is Verdict.NOT_AN_ID
    with pytest.raises(ValidationError, match="is no regular expression"):
        SampleSettings(pattern="[0-9")


def test_a_sample_without_a_name_is_called_by_time_or_by_number(register: SampleRegister) -> None:
    assert SampleIds(SampleSettings(), register).automatic(NOON) == "20260301-120005"
    numbered = SampleIds(SampleSettings(automatic="number"), register)
    assert numbered.automatic(NOON) == "000002"
    register.note("begun", "000003", {})
    assert numbered.automatic(NOON) == "000004"
