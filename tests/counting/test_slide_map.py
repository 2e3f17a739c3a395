from collections.abc import Mapping, Sequence

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from leukoscope.counting.slide_map import PlacedField, SlideMap
from leukoscope.specimen.cell import CellKind, ClassifiedCell, Decision
from leukoscope.specimen.field import CountedField
from leukoscope.specimen.place import Place
from leukoscope.specimen.slide import SlideCell
from tests.drawings import cell, counted

ROWS, COLS = 240, 320
SIDE = 36
Spot = tuple[int, int]


def likeliest(probabilities: Mapping[str, float]) -> Decision:
    best = max(probabilities, key=probabilities.__getitem__)
    return Decision(best, probabilities[best], ())


def scattered(seed: int = 5, count: int = 260) -> list[Spot]:
    """Upper left corners of cells on a slide of 900x1200 pixels, none touching another."""
    rng = np.random.default_rng(seed)
    spots: list[Spot] = []
    while len(spots) < count:
        row, col = rng.integers(0, 860), rng.integers(0, 1160)
        if all(max(abs(row - r), abs(col - c)) > SIDE + 4 for r, c in spots):
            spots.append((int(row), int(col)))
    return spots


def field_at(row: int, col: int, spots: Sequence[Spot], kind: CellKind = CellKind.RBC) -> CountedField:
    """What a perfect segmenter finds in the window at (row, col): cut cells are cut."""
    found = []
    for top, left in spots:
        first, last = max(top - row, 0), min(top + SIDE - row, ROWS)
        begin, end = max(left - col, 0), min(left + SIDE - col, COLS)
        if last - first > 2 and end - begin > 2:
            whole = (
                (last - first, end - begin) == (SIDE, SIDE) and first > 0 and last < ROWS and begin > 0 and end < COLS
            )
            found.append(_cut(cell(kind, row=first, col=begin, side=SIDE), (last - first, end - begin), whole))
    return counted(*found)


def _cut(one: ClassifiedCell, size: tuple[int, int], whole: bool) -> ClassifiedCell:
    from dataclasses import replace

    box = one.instance.box
    smaller = replace(box, row_end=box.row + size[0], col_end=box.col + size[1])
    outline = one.instance.outline[: size[0], : size[1]]
    return replace(one, instance=replace(one.instance, box=smaller, outline=outline, touches_border=not whole))


class Known:
    """What a slide has shown so far."""

    def __init__(self) -> None:
        self.slide = SlideMap(likeliest)
        self.cells: dict[int, SlideCell] = {}
        self.area_um2 = 0.0

    def add(self, field: CountedField, place: Place | None) -> Place:
        placed = self.slide.add(field, place)
        self.take(placed)
        return placed.place

    def take(self, placed: PlacedField) -> None:
        for key in placed.change.dropped:
            self.cells.pop(key, None)
        self.cells |= {one.id: one for one in placed.change.cells}
        self.area_um2 += placed.change.new_area_um2

    @property
    def counted(self) -> int:
        return sum(one.counted for one in self.cells.values())


def counting_frame(windows: Sequence[Spot], spots: Sequence[Spot]) -> int:
    """Cells that a window shows whole, or cut above or on the left only."""
    return sum(any(_in_frame(r - row, c - col) for row, col in windows) for r, c in spots)


def _in_frame(row: int, col: int) -> bool:
    last, end = row + SIDE, col + SIDE
    if row > 0 and col > 0 and last < ROWS and end < COLS:
        return True
    # A cut cell within a pixel of the right or lower edge is taken as cut there.
    return last > 2 and end > 2 and last < ROWS - 1 and end < COLS - 1


def test_a_cell_in_two_fields_is_one_cell() -> None:
    spots, known = scattered(), Known()
    first = known.add(field_at(0, 0, spots), None)
    known.add(field_at(0, 160, spots), first.moved(0, 160))
    assert known.counted == counting_frame([(0, 0), (0, 160)], spots)
    assert {one.detections for one in known.cells.values()} == {1, 2}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 600), st.integers(0, 860)), min_size=2, max_size=7), st.integers(0, 50))
def test_any_fields_in_any_order_count_each_cell_once(windows: list[Spot], seed: int) -> None:
    spots, known = scattered(seed), Known()
    origin: Spot | None = None
    for window in windows:
        place = None if origin is None else Place(1, window[0] - origin[0], window[1] - origin[1])
        origin = origin or window
        known.add(field_at(*window, spots), place)
    assert known.counted == counting_frame(windows, spots)


def test_coming_back_changes_nothing() -> None:
    spots, known = scattered(), Known()
    for col in (0, 200, 400, 200, 0):
        known.add(field_at(0, col, spots), Place(1, 0, col) if known.cells else None)
    assert known.counted == counting_frame([(0, 0), (0, 200), (0, 400)], spots)
    assert known.slide.patches == 1


def test_a_cell_cut_by_one_field_is_measured_once_a_neighbour_completes_it() -> None:
    known = Known()
    spots = [(100, 300), (20, 40), (150, 60), (60, 200)]
    first = known.add(field_at(0, 0, spots), None)
    assert sum(one.measured for one in known.cells.values()) == 3
    known.add(field_at(0, 180, spots), first.moved(0, 180))
    assert sum(one.measured for one in known.cells.values()) == 4
    assert known.counted == 4


def test_two_parts_of_a_cell_become_one_when_a_field_shows_it_whole() -> None:
    known = Known()
    spots = [(100, 302), (20, 40), (150, 60), (60, 200), (30, 400), (160, 500), (200, 420)]
    first = known.add(field_at(0, 0, spots), None)
    # Side by side: nothing is shown twice, so the two parts cannot be known for one cell.
    known.add(field_at(0, 320, spots), first.moved(0, 320))
    assert known.counted == len(spots)
    known.add(field_at(0, 160, spots), first.moved(0, 160))
    assert known.counted == len(spots)
    assert len(known.cells) == len(spots)


def test_a_place_that_is_off_is_corrected_by_the_cells() -> None:
    spots, known = scattered(), Known()
    first = known.add(field_at(0, 0, spots), None)
    place = known.add(field_at(40, 100, spots), first.moved(40 + 9, 100 - 11))
    assert (place.row, place.col) == (40, 100)
    assert known.counted == counting_frame([(0, 0), (40, 100)], spots)


def test_a_place_that_the_cells_contradict_begins_another_patch() -> None:
    spots, known = scattered(), Known()
    first = known.add(field_at(0, 0, spots), None)
    place = known.add(field_at(500, 700, spots), first.moved(5, 8))
    assert place.patch == 2
    assert known.slide.patches == 2


def test_two_patches_that_turn_out_to_overlap_are_joined_and_nothing_counts_twice() -> None:
    spots, known = scattered(), Known()
    known.add(field_at(0, 0, spots), None)
    second = known.add(field_at(0, 260, spots), None)
    known.add(field_at(0, 120, spots), second.moved(0, -140))
    before = known.area_um2
    placed = known.slide.join(2, Place(1, 3.0, 257.0))
    assert placed is not None
    known.take(placed)
    assert (placed.place.row, placed.place.col) == (0, 260)
    assert known.slide.places == {1: Place(1, 0, 0), 2: Place(1, 0, 260), 3: Place(1, 0, 120)}
    assert known.slide.patches == 1
    assert known.counted == counting_frame([(0, 0), (0, 260), (0, 120)], spots)
    assert before - known.area_um2 > 0
    assert abs(known.area_um2 - 240 * 580 * 0.04) < 1e-6


def test_patches_whose_cells_do_not_agree_stay_apart() -> None:
    spots, known = scattered(), Known()
    known.add(field_at(0, 0, spots), None)
    known.add(field_at(500, 700, spots), None)
    assert known.slide.join(2, Place(1, 20.0, 30.0)) is None
    assert known.slide.patches == 2


def test_the_area_that_two_fields_show_counts_once() -> None:
    spots, known = scattered(), Known()
    first = known.add(field_at(0, 0, spots), None)
    known.add(field_at(120, 160, spots), first.moved(120, 160))
    assert abs(known.area_um2 - (2 * 240 * 320 - 120 * 160) * 0.04) < 1e-6


def test_a_cell_that_one_field_imagines_and_two_do_not_show_is_not_counted() -> None:
    spots, known = scattered(), Known()
    seen = field_at(0, 0, spots)
    ghost = cell(row=110, col=140, side=20)
    place = known.add(counted(*seen.cells, ghost), None)
    with_ghost = known.counted
    known.add(field_at(0, 30, spots), place.moved(0, 30))
    known.add(field_at(30, 30, spots), place.moved(30, 30))
    without = known.counted
    assert with_ghost - counting_frame([(0, 0)], spots) == 1
    assert without == counting_frame([(0, 0), (0, 30), (30, 30)], spots)


def test_a_white_cell_seen_twice_is_named_by_both_looks() -> None:
    from dataclasses import replace

    spots, known = scattered(), Known()
    white = cell(CellKind.WBC, "band", row=110, col=140)
    unsure = replace(white, cell_class="band", probabilities={"band": 0.5, "segmented": 0.45, "blast": 0.05})
    clear = replace(white, cell_class="segmented", probabilities={"band": 0.1, "segmented": 0.9, "blast": 0.0})
    place = known.add(counted(*field_at(0, 0, spots).cells, unsure), None)
    known.add(counted(*field_at(0, 0, spots).cells, clear), place)
    white_cells = [one for one in known.cells.values() if one.detection.kind is CellKind.WBC]
    assert [one.detection.cell_class for one in white_cells] == ["segmented"]
    assert abs(white_cells[0].detection.confidence - 0.675) < 1e-9
