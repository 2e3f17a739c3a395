"""What a segmentation is worth on pictures whose cells are known."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from evaluation.detection import DetectionScore
from evaluation.field_table import as_boxes
from evaluation.outlines import dice
from methods.boundaries import border_of, boundary_f1
from methods.clock import Stopwatch
from methods.device import Pixels, resample
from methods.kinds import Flags, Parts
from methods.pictures import FIELD_SETS, OUTLINE_SETS, Picture

Find = Callable[[Pixels, float], Parts]


@dataclass(slots=True)
class SegmentationScore:
    """Adds up one method's figures over pictures of several sets."""

    cell: dict[str, list[float]] = field(default_factory=dict)
    nucleus: dict[str, list[float]] = field(default_factory=dict)
    boundary: dict[str, list[float]] = field(default_factory=dict)
    red: dict[str, DetectionScore] = field(default_factory=dict)
    watch: Stopwatch = field(default_factory=Stopwatch)
    """Of fields alone, so that methods are timed on the same pictures."""

    def add(self, picture: Picture, find: Find) -> None:
        """Run a method on a picture and compare."""
        if picture.field is None:
            parts = find(picture.pixels, picture.um_per_px)
        else:
            with self.watch.running():
                parts = find(picture.pixels, picture.um_per_px)
        source = picture.source
        if picture.drawn is not None and parts.white is not None:
            self.cell.setdefault(source, []).append(dice(parts.white, picture.drawn.cell))
            borders = border_of(parts.white), border_of(picture.drawn.cell)
            self.boundary.setdefault(source, []).append(boundary_f1(*borders, picture.um_per_px))
        if picture.drawn is not None and picture.has_nuclei and parts.nucleus is not None:
            self.nucleus.setdefault(source, []).append(dice(parts.nucleus, picture.drawn.nucleus))
        if picture.field is not None and parts.red is not None:
            expected = [(one.xmin, one.ymin, one.xmax, one.ymax) for one in picture.field.boxes if one.kind == "rbc"]
            score = self.red.setdefault(source, DetectionScore())
            score.add(as_boxes(parts.red), [1.0] * len(parts.red), as_boxes(expected))

    def figures(self) -> dict[str, float | None]:
        """Means over sets, and each set's own; None for what the method does not look for."""
        counted = self.red.values()
        shown: dict[str, float | None] = {
            "cell": _mean_of_sets(self.cell),
            "nucleus": _mean_of_sets(self.nucleus),
            "boundary": _mean_of_sets(self.boundary),
            "red": float(np.mean([one.f1 for one in counted])) if counted else None,
            "count error": float(np.mean([one.count_error for one in counted])) if counted else None,
            "guess error": float(np.mean([one.constant_guess_error for one in counted])) if counted else None,
        }
        for name in OUTLINE_SETS:
            shown[f"cell {name}"] = float(np.mean(self.cell[name])) if name in self.cell else None
        for name in FIELD_SETS:
            one = self.red.get(name)
            shown[f"red {name}"] = one.f1 if one else None
            shown[f"count {name}"] = one.count_error if one else None
            shown[f"guess {name}"] = one.constant_guess_error if one else None
        return shown

    @property
    def goodness(self) -> float:
        """Mean of what the method looks for: Dice of cells and nuclei, F1 of red cells. Tuning takes the best."""
        reds = float(np.mean([one.f1 for one in self.red.values()])) if self.red else None
        known = [_mean_of_sets(self.cell), _mean_of_sets(self.nucleus), reds]
        return float(np.mean([value for value in known if value is not None] or [0.0]))


def score_all(pictures: Mapping[str, Sequence[Picture]], find: Find) -> SegmentationScore:
    """Run a method on every picture."""
    total = SegmentationScore()
    for some in pictures.values():
        for picture in some:
            total.add(picture, find)
    return total


def at_scale(find: Find, um_per_px: float) -> Find:
    """The same method, but shown every picture at one scale; what it finds is brought back to the picture's own."""

    def found(pixels: Pixels, own_um_per_px: float) -> Parts:
        small, (by_row, by_col) = resample(pixels, own_um_per_px / um_per_px)
        parts = find(np.ascontiguousarray(small), um_per_px)
        rows, cols = pixels.shape[:2]
        red = parts.red and [
            (round(x0 * by_col), round(y0 * by_row), round(x1 * by_col), round(y1 * by_row))
            for x0, y0, x1, y1 in parts.red
        ]
        return Parts(_enlarged(parts.white, rows, cols), _enlarged(parts.nucleus, rows, cols), red)

    return found


def _enlarged(flags: Flags | None, rows: int, cols: int) -> Flags | None:
    if flags is None:
        return None
    soft = cv2.resize(flags.astype(np.float32), (cols, rows), interpolation=cv2.INTER_LINEAR)
    return np.asarray(soft >= 0.5)


def _mean_of_sets(values: Mapping[str, Sequence[float]]) -> float | None:
    return float(np.mean([np.mean(some) for some in values.values()])) if values else None
