"""The journal that outlives a power cut."""

import os
from pathlib import Path
from typing import Any

import pytest

from leukoscope.errors import OutboxError
from leukoscope.service.event_journal import EventJournal, find_interrupted, set_aside

HEADER = {"report_id": "a-1", "sample_id": "Müller 7"}
EVENTS = [{"field": number, "pictures": [{"grey": bytes([number]) * number}, b"\n0"]} for number in range(5)]


def written(folder: Path, name: str = "a-1", ends: list[int] | None = None) -> Path:
    """A journal; `ends` takes where its header and each event end."""
    ends = [] if ends is None else ends
    checkpoint = EventJournal.begin(folder, name, HEADER)
    ends.append(checkpoint.path.stat().st_size)
    for event in EVENTS:
        checkpoint.append(event)
        ends.append(checkpoint.path.stat().st_size)
    checkpoint.close()
    return checkpoint.path


def test_what_was_written_is_found_again(tmp_path: Path) -> None:
    written(tmp_path / "deep" / "folder")
    (found,) = find_interrupted(tmp_path / "deep" / "folder")
    assert found.header["sample_id"] == "Müller 7"
    assert list(found.events) == EVENTS


def test_a_cut_at_any_byte_costs_at_most_the_event_being_written(tmp_path: Path) -> None:
    ends: list[int] = []
    content = written(tmp_path, ends=ends).read_bytes()
    for cut in range(len(content) + 1):
        folder = tmp_path / str(cut)
        folder.mkdir()
        (folder / "a-1.events").write_bytes(content[:cut])
        whole = sum(end <= cut for end in ends)
        found = find_interrupted(folder)
        if not whole:
            assert found == ()
            assert not list(folder.iterdir()), "a journal without a header holds nothing"
            continue
        (one,) = found
        assert list(one.events) == EVENTS[: whole - 1]
        with_more = EventJournal.go_on(one)
        with_more.append({"more": True})
        with_more.append({"more": False})
        with_more.close()
        (again,) = find_interrupted(folder)
        assert list(again.events) == [*EVENTS[: whole - 1], {"more": True}, {"more": False}]


@pytest.mark.parametrize("rubbish", [b"\0" * 512, b"\xff\xfe", b"00000000 {}\n", b"{}\n", b"\n\n"])
def test_whatever_a_dying_card_puts_behind_the_end_is_passed_over(tmp_path: Path, rubbish: bytes) -> None:
    with written(tmp_path).open("ab") as file:
        file.write(rubbish)
    (found,) = find_interrupted(tmp_path)
    assert list(found.events) == EVENTS


def test_a_flipped_bit_ends_the_journal_there(tmp_path: Path) -> None:
    ends: list[int] = []
    path = written(tmp_path, ends=ends)
    content = path.read_bytes()
    for place in range(ends[3], ends[4]):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        (found,) = find_interrupted(tmp_path)
        assert list(found.events) == EVENTS[:3]


def test_work_that_is_done_is_not_found(tmp_path: Path) -> None:
    checkpoint = EventJournal.begin(tmp_path, "a-1", HEADER)
    checkpoint.append({"field": 1})
    checkpoint.remove()
    assert find_interrupted(tmp_path) == ()
    assert not list(tmp_path.iterdir())


def test_a_journal_of_another_version_is_left_to_people(tmp_path: Path) -> None:
    path = written(tmp_path)
    checkpoint = EventJournal.begin(tmp_path, "b-2", HEADER | {"format": 99})
    checkpoint.close()
    assert [found.path for found in find_interrupted(tmp_path)] == [path]
    assert (tmp_path / "b-2.events.unknown").exists()


def test_a_journal_of_before_is_left_to_people(tmp_path: Path) -> None:
    (tmp_path / "a-1.events").write_bytes(b"6d2f9a1c c$@(M0000000\n")
    assert find_interrupted(tmp_path) == ()
    assert (tmp_path / "a-1.events.unknown").exists()


@pytest.mark.parametrize("content", [b"", b"leuko", bytes(4096)])
def test_a_journal_that_the_power_took_before_its_first_word_holds_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a-1.events").write_bytes(content)
    assert find_interrupted(tmp_path) == ()
    assert not list(tmp_path.iterdir())


def test_what_every_event_says_again_costs_next_to_nothing(tmp_path: Path) -> None:
    checkpoint = EventJournal.begin(tmp_path, "a-1", HEADER)
    sizes = []
    for number in range(5):
        checkpoint.append({"number": number, "words": "what every event says, and says again, and never tires of"})
        sizes.append(checkpoint.path.stat().st_size)
    checkpoint.close()
    first = sizes[1] - sizes[0]
    assert first < 40
    assert sizes[4] - sizes[3] <= first


def test_the_oldest_comes_first_and_one_that_is_set_aside_comes_no_more(tmp_path: Path) -> None:
    for age, name in enumerate(("c", "a", "b")):
        os.utime(written(tmp_path, name), (1000 + age, 1000 + age))
    assert [found.path.stem for found in find_interrupted(tmp_path)] == ["c", "a", "b"]
    set_aside(tmp_path / "c.events", "other-parts")
    assert [found.path.stem for found in find_interrupted(tmp_path)] == ["a", "b"]


class FullDisk:
    """A file on a disk that takes twenty bytes more."""

    def __init__(self, file: Any) -> None:
        self._file, self._room = file, 20

    def write(self, content: bytes) -> int:
        if not self._room:
            raise OSError(28, "No space left on device")
        part, self._room = content[: self._room], 0
        return self._file.write(part)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def test_a_full_disk_is_told_and_leaves_no_half_line(tmp_path: Path) -> None:
    checkpoint = EventJournal.begin(tmp_path, "a-1", HEADER)
    checkpoint.append(EVENTS[0])
    real, checkpoint._file = checkpoint._file, FullDisk(checkpoint._file)  # type: ignore[assignment]
    with pytest.raises(OutboxError, match=r"a-1.events \(No space left on device\): make room"):
        checkpoint.append({"words": "y" * 100})
    checkpoint._file = real
    checkpoint.append(EVENTS[1])
    checkpoint.close()
    (found,) = find_interrupted(tmp_path)
    assert list(found.events) == EVENTS[:2]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutboxError, match="cannot be kept in"):
        EventJournal.begin(tmp_path / "file" / "folder", "a", HEADER)


def test_every_event_is_on_the_disk_when_append_returns_unless_it_may_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = EventJournal.begin(tmp_path, "a-1", HEADER)
    synced: list[int] = []
    monkeypatch.setattr("leukoscope.service.event_journal.os.fsync", synced.append)
    checkpoint.append(EVENTS[0])
    checkpoint.append(EVENTS[1], durable=False)
    checkpoint.append(EVENTS[2])
    assert len(synced) == 2
    checkpoint.close()
