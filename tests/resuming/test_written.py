"""What is written down of a field is all that the slide and the tally need of it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from leukoscope.analysis.sights import Seen
from leukoscope.analysis.written import Written, as_event, read_event
from leukoscope.checkpoint import Checkpoint, find_interrupted
from leukoscope.specimen.cell import Box, CellKind
from leukoscope.specimen.place import Place
from leukoscope.specimen.slide import Sight

_pixels = st.integers(0, 4000)
_shares = st.floats(0.0, 1.0)
_names = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_sights = st.builds(
    Sight,
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
_seen = st.builds(Seen, st.lists(_sights, max_size=5).map(tuple), _pixels, _pixels, st.floats(0.05, 1.0))
_offsets = st.floats(-1e5, 1e5)
_places = st.none() | st.builds(Place, st.integers(1, 50), _offsets, _offsets)
_pictures = arrays.arrays(np.uint8, st.tuples(st.integers(8, 40), st.integers(8, 40)))


@given(_seen, _places, st.none() | _pictures)
def test_a_field_survives_being_written_down(seen: Seen, place: Place | None, picture: Any) -> None:
    event: Mapping[str, Any] = json.loads(json.dumps(as_event(Written(seen, place, picture))))
    read = read_event(event)
    assert (read.seen, read.place) == (seen, place)
    if picture is None:
        assert read.picture is None
    else:
        assert np.array_equal(read.picture, picture)


def test_a_field_of_two_hundred_cells_takes_few_kilobytes(tmp_path: Path) -> None:
    chance = np.random.default_rng(5)
    red = [
        Sight(
            1,
            CellKind.RBC,
            Box(*chance.integers(0, 900, 4).tolist()),
            *chance.random(1),
            True,
            True,
            "rbc",
            *chance.random(1),
            {},
            *chance.random(1),
            False,
        )
        for _ in range(200)
    ]
    grain = chance.normal(180, 12, (96, 128)).clip(0, 255).astype(np.uint8)
    journal = Checkpoint.begin(tmp_path, "a", {})
    before = journal.path.stat().st_size
    journal.append({"field": as_event(Written(Seen(tuple(red), 960, 1280, 0.1), Place(1, 0.5, 7.25), grain))})
    journal.close()
    assert journal.path.stat().st_size - before < 32 * 1024
    assert len(find_interrupted(tmp_path)) == 1
