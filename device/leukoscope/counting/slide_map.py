"""The slide as far as it was counted: patches of fields that lie at known distances, and their cells."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from leukoscope.counting.detections import FieldDetections, field_detections
from leukoscope.counting.mosaic import Mosaic, Name, View
from leukoscope.counting.rectangles import Points, Rects, agreed_shift, clipped, grown, within
from leukoscope.specimen.field import CountedField
from leukoscope.specimen.place import Place
from leukoscope.specimen.slide import SlideCell, SlideChange

REACH_UM = 5.0
"""How far off the tracker may be after a long way round; cells lie farther apart than this where it matters."""
SPREAD_UM = 0.5
"""How far two outlines of one cell may differ in their middle."""
FEWEST_AGREEING = 3
ENOUGH_TO_JUDGE = 6
"""With fewer cells in view twice, nothing can be said about the place."""
MOST_AGREE = 0.4
"""Share of the cells in view twice that must agree on the place; the rest are cut, overlapped or found once only."""


@dataclass(frozen=True, slots=True)
class PlacedField:
    """A field that was added, and what that changed."""

    place: Place
    """Where it lies by its cells: more exact than by its picture."""
    change: SlideChange


class SlideMap:
    """What was counted of one specimen, where, and each cell of it once."""

    def __init__(self, name: Name) -> None:
        """An empty slide.

        Args:
            name: from probabilities per class to a class, for cells that several fields show.
        """
        self._name = name
        self._numbers = itertools.count(1)
        self._patches: dict[int, Mosaic] = {}
        self._um_per_px = 1.0
        self._places: dict[int, Place] = {}
        self.fields = 0
        """Fields added so far."""

    @property
    def places(self) -> Mapping[int, Place]:
        """Where each field lies, by its number, from 1."""
        return self._places

    @property
    def patches(self) -> int:
        """Parts of the slide whose distance from each other is not known."""
        return len(self._patches)

    def new_share(self, place: Place, rows: int, cols: int) -> float:
        """Share of a picture at a place that no counted field shows, 0-1."""
        patch = self._patches.get(place.patch)
        window = np.array([place.row, place.col, place.row + rows, place.col + cols])
        return 1.0 if patch is None else patch.new_share(window)

    def add(self, field: CountedField, place: Place | None) -> PlacedField:
        """Add a field, at a place where that is known, else as the first of a new patch.

        A place that its own cells contradict is not believed.
        """
        return self.add_seen(field_detections(field, self.fields + 1), place)

    def add_seen(self, seen: FieldDetections, place: Place | None) -> PlacedField:
        """As `add`, of a field whose picture is gone."""
        self.fields += 1
        rows, cols, detections = seen.rows, seen.cols, seen.detections
        self._um_per_px = seen.um_per_px
        if place is not None:
            place = self._corrected(place, View(place.row, place.col, rows, cols, detections))
        if place is None:
            place = Place(max(self._patches, default=0) + 1, 0.0, 0.0)
            self._patches[place.patch] = Mosaic(self._um_per_px, self._name, self._numbers)
        self._places[self.fields] = place
        patch = self._patches[place.patch]
        before_px = patch.area_px
        cells, dropped = patch.add(View(place.row, place.col, rows, cols, detections))
        return PlacedField(place, SlideChange(self.fields, self._um2(patch.area_px - before_px), cells, dropped))

    def join(self, patch: int, to: Place) -> PlacedField | None:
        """Put a patch where it turned out to lie: its first corner at a place of another patch.

        Returns None, and changes nothing, where the cells of the two do not agree.
        """
        gone, target = self._patches[patch], self._patches[to.patch]
        moved = [replace(view, row=view.row + to.row, col=view.col + to.col) for view in gone.views]
        again = [view for view in moved if target.new_share(view.window) < 1]
        agreements = [_agreement(target, view, self._um_per_px) for view in again]
        agreed = [one for one in agreements if one.agreed]
        if not agreed or any(one.contradicted for one in agreements):
            return None
        down, right = np.average(
            [one.shift for one in agreed], axis=0, weights=[one.agreeing for one in agreed]
        ).tolist()
        moved = [replace(view, row=view.row + down, col=view.col + right) for view in moved]
        for number, place in self._places.items():
            if place.patch == patch:
                self._places[number] = Place(to.patch, place.row + to.row + down, place.col + to.col + right)
        del self._patches[patch]
        before_px = gone.area_px + target.area_px
        changed_cells: dict[int, SlideCell] = {}
        dropped = set(gone.numbers)
        for view in moved:
            cells, parts = target.add(view)
            changed_cells |= {cell.id: cell for cell in cells}
            dropped |= set(parts)
        kept = tuple(cell for key, cell in sorted(changed_cells.items()) if key not in dropped)
        change = SlideChange(self.fields, self._um2(target.area_px - before_px), kept, tuple(sorted(dropped)))
        return PlacedField(to.moved(down, right), change)

    def _um2(self, square_px: float) -> float:
        return square_px * self._um_per_px**2

    def _corrected(self, place: Place, view: View) -> Place | None:
        """The place that the cells seen twice agree on; None when they agree that it is another one."""
        patch = self._patches.get(place.patch)
        if patch is None:
            return None
        agreement = _agreement(patch, view, self._um_per_px)
        if agreement.contradicted:
            return None
        return place.moved(*agreement.shift.tolist()) if agreement.agreed else place


@dataclass(frozen=True, slots=True)
class _Agreement:
    """What the cells seen twice say about the place of a field."""

    shift: Points
    """(down, right) by which it is off, pixels."""
    agreeing: int
    asked: int
    """Whole cells that an earlier field must show too."""

    @property
    def agreed(self) -> bool:
        """Enough of them agree to move the field."""
        return self.agreeing >= FEWEST_AGREEING and not self.contradicted

    @property
    def contradicted(self) -> bool:
        """There are enough of them, and they do not agree on any place near."""
        return self.asked >= ENOUGH_TO_JUDGE and self.agreeing < MOST_AGREE * self.asked


def _agreement(patch: Mosaic, view: View, um_per_px: float) -> _Agreement:
    reach = REACH_UM / um_per_px
    known = patch.near(view.window)
    boxes = view.boxes()
    whole = np.array([detection.whole for detection in view.detections], dtype=np.bool_)
    shown_before = np.zeros(len(boxes), dtype=np.bool_)
    for other in patch.touching(view.window):
        shown_before |= within(boxes, grown(clipped(other.window, view.window), -reach))
    asked = boxes[whole & shown_before]
    shift, agreeing = agreed_shift(_middles(boxes[whole]), _middles(known), reach=reach, spread=SPREAD_UM / um_per_px)
    return _Agreement(shift, agreeing, len(asked))


def _middles(boxes: Rects) -> Points:
    return np.asarray((boxes[:, :2] + boxes[:, 2:]) / 2)
