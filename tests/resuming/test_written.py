"""What is written down of a field is all that the slide and the tally need of it."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from leukoscope.counting.detections import FieldDetections
from leukoscope.counting.field_record import FieldRecord, as_event, read_event
from leukoscope.optics.registration import Thumbnail
from leukoscope.service.event_journal import EventJournal, find_interrupted
from leukoscope.specimen.cell import Box, CellKind
from leukoscope.specimen.place import Place
from leukoscope.specimen.slide import CellDetection
from tests.optics.test_registration import view

_pixels = st.integers(0, 4000)
_shares = st.floats(0.0, 1.0)
_names = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_detections = st.builds(
    CellDetection,
    field=st.integers(1, 500),
    kind=st.sampled_from(CellKind),
    box=st.builds(Box, _pixels, _pixels, _pixels, _pixels),
    score=_shares,
    whole=st.booleans(),
    in_frame=st.booleans(),
    cell_class=_names,
    confidence=_shares,
    probabilities=st.dictionaries(_names, _shares, max_size=4),
    diameter_um=st.floats(0.1, 50.0),
    irregular=st.booleans(),
)
_seen = st.builds(FieldDetections, st.lists(_detections, max_size=5).map(tuple), _pixels, _pixels, st.floats(0.05, 1.0))
_offsets = st.floats(-1e5, 1e5)
_places = st.none() | st.builds(Place, st.integers(1, 50), _offsets, _offsets)
_pictures = arrays.arrays(np.uint8, st.tuples(st.integers(8, 40), st.integers(8, 40)))


def kept(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """An event as the journal gives it back."""
    with tempfile.TemporaryDirectory() as folder:
        journal = EventJournal.begin(Path(folder), "a", {})
        journal.append(event, durable=False)
        journal.close()
        (found,) = find_interrupted(Path(folder))
        return found.events[0]


@given(_seen, _places, st.none() | _pictures)
def test_a_field_survives_being_written_down(seen: FieldDetections, place: Place | None, picture: Any) -> None:
    event = kept(as_event(FieldRecord(seen, place, picture)))
    read = read_event(event)
    assert (read.seen, read.place) == (seen, place)
    if picture is None:
        assert read.picture is None
    else:
        assert read.picture.shape == picture.shape


def test_a_written_picture_recognises_its_place() -> None:
    picture = Thumbnail.of(view(400, 400)).grey.astype(np.uint8)
    written = FieldRecord(FieldDetections((), 240, 320, 0.2), None, picture)
    read = read_event(kept(as_event(written))).picture
    assert read is not None
    shift = Thumbnail(read.astype(np.float32)).shift_to(Thumbnail.of(view(430, 480)))
    assert shift.believed
    assert (shift.down * 320, shift.right * 320) == pytest.approx((-30, -80), abs=1.5)


def test_a_field_of_two_hundred_cells_takes_few_kilobytes(tmp_path: Path) -> None:
    chance = np.random.default_rng(5)
    red = [
        CellDetection(
            1,
            CellKind.RBC,
            Box(*chance.integers(0, 900, 4).tolist()),
            chance.random(1).round(4).item(),
            True,
            True,
            "rbc",
            chance.random(1).round(4).item(),
            {},
            chance.random(1).round(4).item(),
            False,
        )
        for _ in range(200)
    ]
    picture = Thumbnail.of(view(400, 400)).grey.astype(np.uint8)
    journal = EventJournal.begin(tmp_path, "a", {})
    before = journal.path.stat().st_size
    journal.append(
        {"field": as_event(FieldRecord(FieldDetections(tuple(red), 960, 1280, 0.1), Place(1, 0.5, 7.25), picture))}
    )
    journal.close()
    assert journal.path.stat().st_size - before < 8 * 1024
    assert len(find_interrupted(tmp_path)) == 1
