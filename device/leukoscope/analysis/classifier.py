"""Names the white cells of a micrograph, or says that it is unsure."""

from collections.abc import Iterable, Iterator, Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from leukoscope.errors import BundleError
from leukoscope.inference.bundle import Bundle, CellClass
from leukoscope.inference.network import Network
from leukoscope.optics.resampling import HALVE_FROM
from leukoscope.specimen.cell import UNSURE, CellInstance, CellKind, ClassifiedCell, Decision
from leukoscope.specimen.frame import Micrograph, Pixels
from leukoscope.system.pixels_in_file import let_go

CLEAR_AT_ONCE = 0.7
"""A class with at least this probability needs no second look; of the cells of the validation split one in eight gets
one. Two more, turned as well, would bring deepapl half a point, the others nothing (models/README.md)."""


class Classifier:
    """A classifying network and how to read its answer."""

    def __init__(self, bundle: Bundle, network: Network, *, enlarged: float = 1.0) -> None:
        """Reads cells by a bundle and its network, which is shown them `enlarged` times as large."""
        facts = bundle.manifest.classifier
        if facts is None:
            raise BundleError(
                f"bundle {bundle.manifest.name} is a {bundle.manifest.kind}, a classifier was expected",
                "check models.classifier in the settings",
            )
        self._bundle = bundle
        self._facts = facts
        self._input = bundle.manifest.input
        self._network = network
        self._enlarged = enlarged
        self._group_of = {key: group for group, members in facts.groups.items() for key in members}
        self._surcharges = {
            (cost.truth, self._group(named)): cost.cost - 1.0 for cost in facts.costs for named in cost.named
        }

    def showing_cells(self, enlarged: float) -> "Classifier":
        """The same classifier, whose network is shown cells `enlarged` times as large."""
        return Classifier(self._bundle, self._network, enlarged=enlarged)

    @property
    def classes(self) -> tuple[CellClass, ...]:
        """What it can name, in the order of the bundle."""
        return self._facts.classes

    def name_cells(self, micrograph: Micrograph, cells: Iterable[CellInstance]) -> tuple[ClassifiedCell, ...]:
        """Name white cells; red cells and platelets keep their kind as class."""
        named = []
        for cell in cells:
            if cell.kind is CellKind.WBC:
                crop = self.cut_out(micrograph.pixels, cell.box.centre, micrograph.um_per_px)
                let_go(micrograph.pixels)
                probabilities = self._probabilities(crop)
                cell_class, confidence, suspect = self.decide(probabilities)
            else:
                probabilities, cell_class, confidence, suspect = {}, cell.kind.value, cell.confidence, ()
            named.append(ClassifiedCell(cell, cell_class, confidence, probabilities, suspect))
        return tuple(named)

    def name_crop(self, pixels: Pixels, um_per_px: float) -> dict[str, float]:
        """Probability per class of the cell in the middle of a picture, shape (rows, cols, 3)."""
        rows, cols = pixels.shape[:2]
        return self._probabilities(self.cut_out(pixels, (rows / 2, cols / 2), um_per_px))

    def decide(self, probabilities: Mapping[str, float]) -> Decision:
        """The name that costs least, or UNSURE where every name would cost more than the bundle's limit allows."""
        cheapest, cost = self.cheapest(probabilities)
        name = cheapest if 1.0 - cost >= self._facts.unsure_below else UNSURE
        return Decision(name, probabilities[cheapest], self._suspect(probabilities, name))

    def cheapest(self, probabilities: Mapping[str, float]) -> tuple[str, float]:
        """The likeliest class of the group of least expected cost, and that cost.

        A mistake costs 1 unless the bundle sets another price (`costs`); without prices this is `best`, and the cost
        one minus the probability of its group.
        """
        costs = {group: 1.0 - share for group, share in self._group_shares(probabilities).items()}
        for (truth, group), surcharge in self._surcharges.items():
            if group in costs:
                costs[group] += surcharge * probabilities.get(truth, 0.0)
        group = min(costs, key=costs.__getitem__)
        return self._likeliest_of(group, probabilities), costs[group]

    def best(self, probabilities: Mapping[str, float]) -> tuple[str, float]:
        """The likeliest class of the most probable group, and that group's probability, whatever mistakes cost.

        Classes of one group shade into each other: a cell between band and segmented is a neutrophil for sure.
        """
        shares = self._group_shares(probabilities)
        group = max(shares, key=shares.__getitem__)
        return self._likeliest_of(group, probabilities), shares[group]

    def _group_shares(self, probabilities: Mapping[str, float]) -> dict[str, float]:
        shares: dict[str, float] = {}
        for key, share in probabilities.items():
            group = self._group(key)
            shares[group] = shares.get(group, 0.0) + share
        return shares

    def _likeliest_of(self, group: str, probabilities: Mapping[str, float]) -> str:
        members = (key for key in probabilities if self._group(key) == group)
        return max(members, key=probabilities.__getitem__)

    def _suspect(self, probabilities: Mapping[str, float], name: str) -> tuple[str, ...]:
        return tuple(
            key
            for key, limit in self._facts.suspect.items()
            if key != name and self.suspicion(probabilities, name, key, limit.beside) > limit.above
        )

    def suspicion(self, probabilities: Mapping[str, float], name: str, key: str, beside: Iterable[str]) -> float:
        """How probable it is that a cell of this name is of the class `key`, or of one that such cells are taken for.

        A class of `beside` does not count for a cell that was named another of its group: classes of one group shade
        into each other, and a plain myelocyte is always a little promyelocyte.
        """
        counted = [one for one in beside if name == one or self._group(name) != self._group(one)]
        return sum(probabilities.get(one, 0.0) for one in (key, *counted))

    def _group(self, key: str) -> str:
        return self._group_of.get(key, key)

    def probabilities_of(self, looks: Iterator[NDArray[np.float32]]) -> dict[str, float]:
        """Probability per class; a second look is taken at a cell that is not clear at once.

        Args:
            looks: logits of the cell as it is, then mirrored; the second are computed when they are asked for.
        """
        shares = self._shares(next(looks))
        if shares.max() < CLEAR_AT_ONCE:
            shares = np.float32(0.5) * (shares + self._shares(next(looks)))
        return {one.key: float(share) for one, share in zip(self._facts.classes, shares, strict=True)}

    def _probabilities(self, crop: NDArray[np.uint8]) -> dict[str, float]:
        return self.probabilities_of(self._network.run(one)["logits"] for one in as_it_is_and_mirrored(crop))

    def _shares(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        weights = np.exp((logits - logits.max()) / self._facts.temperature)
        smooth = self._facts.label_smoothing
        shares = np.maximum(weights / weights.sum() - smooth / len(weights), 0)
        return np.asarray(shares / shares.sum(), dtype=np.float32)

    def cut_out(self, pixels: Pixels, centre: tuple[float, float], um_per_px: float) -> NDArray[np.uint8]:
        """The network's window around a place (row, column), at the network's scale; see `window_around`."""
        step = self._input.um_per_px / (um_per_px * self._enlarged)
        return window_around(pixels, centre, step, (self._input.rows, self._input.cols))


def as_it_is_and_mirrored(crop: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """The pictures a classifier looks at, one after the other."""
    yield crop
    yield np.ascontiguousarray(crop[:, ::-1])


def window_around(pixels: Pixels, centre: tuple[float, float], step: float, size: tuple[int, int]) -> NDArray[np.uint8]:
    """A window around a place (row, column) of a picture; what the picture does not show is mirrored outwards.

    Args:
        pixels: RGB, shape (rows, cols, 3).
        centre: in pixels of the picture.
        step: pixels of the picture per pixel of the window.
        size: (rows, cols) of the window.
    """
    rows, cols = size
    if step >= HALVE_FROM:
        pixels, centre, step = _shrunk_around(pixels, centre, step, max(rows, cols))
    # Pixel middles: window pixel (c + 0.5) lies at centre + (c + 0.5 - cols / 2) * step.
    to_picture = np.array(
        [
            [step, 0, centre[1] - 0.5 + (0.5 - cols / 2) * step],
            [0, step, centre[0] - 0.5 + (0.5 - rows / 2) * step],
        ]
    )
    crop = cv2.warpAffine(
        pixels,
        to_picture,
        (cols, rows),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    return np.asarray(crop, dtype=np.uint8)


def _shrunk_around(
    pixels: Pixels, centre: tuple[float, float], step: float, side: int
) -> tuple[Pixels, tuple[float, float], float]:
    """The neighbourhood of a place, averaged down by `step`, so that fine detail does not alias."""
    # Half the window, and a pixel of the small picture for interpolation at its edge.
    reach = int((side / 2 + 1) * step) + 2
    top, left = max(0, int(centre[0]) - reach), max(0, int(centre[1]) - reach)
    part = pixels[top : int(centre[0]) + reach, left : int(centre[1]) + reach]
    rows, cols = max(1, round(part.shape[0] / step)), max(1, round(part.shape[1] / step))
    small = np.asarray(cv2.resize(part, (cols, rows), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    by_row, by_col = rows / part.shape[0], cols / part.shape[1]
    return small, ((centre[0] - top) * by_row, (centre[1] - left) * by_col), 1.0
