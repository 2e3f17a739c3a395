"""Fields that overlap, put together so that a cell seen in several of them is one cell."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from leukoscope.counting.rectangles import Rects, area_of, clipped, grown, overlap_of_each, uncovered_share, within
from leukoscope.specimen.cell import Decision
from leukoscope.specimen.slide import CellDetection, SlideCell

SAME_CELL = 0.3
"""Overlap (intersection over union of what both fields could show) from which two boxes are one cell."""
SAME_THING = 0.5
"""The same where the segmenter calls them different kinds: a platelet on a red cell shares far less."""
CLEAR_OF_EDGE_UM = 0.6
"""A field that shows a place with this much around it should show the cell there."""

Name = Callable[[Mapping[str, float]], Decision]
"""From probabilities per class to a class, or UNSURE, and its probability."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A counted field where it lies on the slide."""

    row: float
    col: float
    """Its upper left corner, pixels."""
    rows: int
    cols: int
    detections: tuple[CellDetection, ...]

    @property
    def window(self) -> NDArray[np.float64]:
        """[top, left, bottom, right] on the slide, pixels."""
        return np.array([self.row, self.col, self.row + self.rows, self.col + self.cols])

    def boxes(self) -> Rects:
        """Every detection's box on the slide."""
        local = [(s.box.row, s.box.col, s.box.row_end, s.box.col_end) for s in self.detections]
        return np.asarray(np.array(local, dtype=np.float64).reshape(-1, 4) + np.tile([self.row, self.col], 2))


@dataclass(slots=True, eq=False)
class _Cell:
    """What is known of one cell."""

    id: int
    seen: list[tuple[CellDetection, View]] = field(default_factory=list)
    overlooked: int = 0
    """Fields that show its place and not the cell."""

    @property
    def whole(self) -> bool:
        """Some field shows it uncut."""
        return any(detection.whole for detection, _ in self.seen)

    def best(self) -> tuple[CellDetection, View]:
        """The detection to measure: whole before cut, then the surest."""
        return max(self.seen, key=lambda one: (one[0].whole, one[0].score))

    def best_views(self) -> list[tuple[CellDetection, View]]:
        """What others are compared with: the best view of a whole cell, every part of a cut one."""
        return [self.best()] if self.whole else self.seen

    def as_slide_cell(self, name: Name) -> SlideCell:
        """What the slide holds of it, named anew by the mean of all looks where several fields show it whole."""
        whole = [detection for detection, _ in self.seen if detection.whole]
        # One field that imagines a cell must not outvote those that show there is none.
        believed = len(self.seen) >= self.overlooked
        return SlideCell(
            id=self.id,
            detection=_merged(whole, name) if whole else self.best()[0],
            detections=len(self.seen),
            counted=believed and any(detection.in_frame for detection, _ in self.seen),
            measured=believed and bool(whole),
        )


class Mosaic:
    """The cells of one patch of slide."""

    def __init__(self, um_per_px: float, name: Name, numbers: Iterator[int]) -> None:
        """An empty patch whose cells take their numbers from `numbers`."""
        self._um_per_px = um_per_px
        self._name = name
        self._numbers = numbers
        self._cells: dict[int, _Cell] = {}
        self._shown: dict[View, set[int]] = {}
        """Which cells each field shows, in the order of counting."""
        self._windows: Rects = np.empty((0, 4))
        """Of the fields, in the same order: every frame at rest asks what of it is new."""
        self.area_px = 0.0
        """Slide that its fields show, square pixels."""

    @property
    def views(self) -> tuple[View, ...]:
        """Its fields, in the order of counting."""
        return tuple(self._shown)

    @property
    def numbers(self) -> frozenset[int]:
        """Of its cells."""
        return frozenset(self._cells)

    def new_share(self, window: Rects) -> float:
        """Share of a window that none of its fields shows, 0-1."""
        return uncovered_share(window, [view.window for view in self.touching(window)])

    def near(self, window: Rects) -> Rects:
        """Boxes on the slide of the cells that were seen whole in fields that reach into a window."""
        known = self._known_near(window)
        return known.boxes[~known.parts]

    def _known_near(self, window: Rects) -> "_Known":
        keys = sorted(set().union(*(self._shown[view] for view in self.touching(window))))
        best_views = [(key, *one) for key in keys for one in self._cells[key].best_views()]
        return _Known(
            numbers=[key for key, _, _ in best_views],
            boxes=np.array([_on_slide(detection, view) for _, detection, view in best_views], dtype=np.float64).reshape(
                -1, 4
            ),
            windows=np.array([view.window for _, _, view in best_views]).reshape(-1, 4),
            kinds=np.array([detection.kind.value for _, detection, _ in best_views], dtype=np.str_),
            parts=np.array([not self._cells[key].whole for key, _, _ in best_views], dtype=np.bool_),
        )

    def touching(self, window: Rects) -> list[View]:
        """Its fields that show some of a window."""
        touching = area_of(clipped(self._windows, window)) > 0
        return [view for view, near in zip(self._shown, touching.tolist(), strict=True) if near]

    def add(self, view: View) -> tuple[tuple[SlideCell, ...], tuple[int, ...]]:
        """Take in one more field; the cells of which more is known now, and numbers of those that are no more."""
        known = self._known_near(view.window)
        partners = _partners(view, known)
        changed: set[int] = set()
        dropped: set[int] = set()
        earlier = self.touching(view.window)
        self.area_px += self.new_share(view.window) * view.rows * view.cols
        self._shown[view] = set()
        self._windows = np.vstack([self._windows, view.window])
        for index, (detection, box) in enumerate(zip(view.detections, view.boxes(), strict=True)):
            cell = self._cell_for(partners.get(index, []), dropped)
            if not cell.seen:
                cell.overlooked = self._shown_by(earlier, box)
            cell.seen.append((detection, view))
            self._shown[view].add(cell.id)
            changed.add(cell.id)
        changed |= self._count_missed(view, known, changed | dropped)
        better_known = tuple(self._cells[key].as_slide_cell(self._name) for key in sorted(changed - dropped))
        return better_known, tuple(sorted(dropped))

    def _cell_for(self, partners: Sequence[int], dropped: set[int]) -> _Cell:
        """The cell these numbers turned out to be, or a new one."""
        if not partners:
            key = next(self._numbers)
            self._cells[key] = _Cell(key)
            return self._cells[key]
        kept = self._cells[min(partners)]
        for key in set(partners) - {kept.id}:
            part = self._cells.pop(key)
            kept.seen += part.seen
            for _, view in part.seen:
                self._shown[view].remove(key)
                self._shown[view].add(kept.id)
            dropped.add(key)
        return kept

    def _count_missed(self, view: View, known: "_Known", settled: set[int]) -> set[int]:
        """Counts against the cells whose place this field shows without them."""
        clear = within(known.boxes, grown(view.window, -CLEAR_OF_EDGE_UM / self._um_per_px))
        missing = {key for key, shown in zip(known.numbers, clear.tolist(), strict=True) if shown} - settled
        for key in missing:
            self._cells[key].overlooked += 1
        return missing

    def _shown_by(self, earlier: Sequence[View], box: NDArray[np.float64]) -> int:
        """How many earlier fields show this place."""
        margin = -CLEAR_OF_EDGE_UM / self._um_per_px
        return sum(bool(within(box[None], grown(view.window, margin))[0]) for view in earlier)


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """Views of known cells, column by column; a cut cell has several."""

    numbers: Sequence[int]
    boxes: Rects
    windows: Rects
    """Of the fields that showed them."""
    kinds: NDArray[np.str_]
    parts: NDArray[np.bool_]
    """No field shows the cell uncut."""


def _partners(view: View, known: _Known) -> dict[int, list[int]]:
    """Which known cells each detection of a field is: one, or several that were cut parts of it so far."""
    likeness = _likeness(view, known)
    pairs = np.argwhere(likeness > 0)
    # Whole cells choose first: a part that is left over does no harm, a whole cell would be a second one.
    order = np.lexsort((-likeness[likeness > 0], known.parts[pairs[:, 1]]))
    partners: dict[int, list[int]] = {}
    taken: set[int] = set()
    for index, column in pairs[order].tolist():
        key = known.numbers[column]
        if key in taken or (index in partners and not known.parts[column]):
            continue
        partners.setdefault(index, []).append(key)
        taken.add(key)
    return partners


def _likeness(view: View, known: _Known) -> NDArray[np.float64]:
    """Overlap of each detection (rows) with each known one (columns), 0 where they cannot be one cell.

    A cut cell shows a part only, so both are compared in the area that both fields show.
    """
    mine = clipped(view.boxes()[:, None], known.windows[None])
    shared = overlap_of_each(mine, clipped(known.boxes, view.window)[None])
    alike = (
        np.array([detection.kind.value for detection in view.detections], dtype=np.str_)[:, None] == known.kinds[None]
    )
    return np.where(shared >= np.where(alike, SAME_CELL, SAME_THING), shared, 0.0)


def _on_slide(detection: CellDetection, view: View) -> tuple[float, float, float, float]:
    box = detection.box
    return view.row + box.row, view.col + box.col, view.row + box.row_end, view.col + box.col_end


def _merged(whole: Sequence[CellDetection], name: Name) -> CellDetection:
    """One detection out of several of the same cell: the surest picture, named by the mean of all looks."""
    kind = Counter(detection.kind for detection in whole).most_common(1)[0][0]
    alike = [detection for detection in whole if detection.kind is kind]
    best = max(alike, key=lambda detection: detection.score)
    if len(alike) == 1 or not best.probabilities:
        return best
    mean = {key: sum(detection.probabilities[key] for detection in alike) / len(alike) for key in best.probabilities}
    cell_class, confidence, suspect = name(mean)
    return replace(best, cell_class=cell_class, confidence=confidence, probabilities=mean, suspect=suspect)
