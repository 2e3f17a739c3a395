"""How well a measure of sharpness orders blurred fields, and whether a limit on it refuses what costs the network."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product

import cv2
import numpy as np

from evaluation.detection import DetectionScore
from evaluation.field_table import add_kind, found_by, micrograph_of
from evaluation.labelled_kinds import KINDS
from evaluation.tables import LabelledField
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.optics.quality import GATE_UM_PER_PX, sharpness_of
from leukoscope.optics.resampling import resample
from leukoscope.specimen.frame import Micrograph, Pixels

BLURS_UM = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.4)
"""Sigma of a Gaussian added to the picture as it is, micrometres."""
FAR_UM = (0.0, 0.3, 0.6, 1.0, 1.4, 2.0, 3.0, 5.0)
"""The same, up to where nothing can be made out."""
NOISE = 4.0
"""Standard deviation, of 255, of noise that a sensor adds after the optics have blurred; a poor one."""
COSTLY = 0.02
"""A loss of F1 above this is what the gate is there to prevent."""


@dataclass(frozen=True, slots=True)
class BlurredField:
    """One field at one blur."""

    field: int
    """Number of the picture."""
    blur_um: float
    sharpness: float
    """As `leukoscope.optics.quality` measures it."""
    laplacian: float
    """Variance of the Laplacian of the grey picture as it is: what most programs take for sharpness."""
    f1: float | None
    """Of all cells the network found, IoU 0.5; None where it was not asked."""


@dataclass(frozen=True, slots=True)
class Refusals:
    """What a limit does."""

    limit: float
    costly: int
    """Blurred fields on which the network lost more than `COSTLY`."""
    costly_refused: int
    harmless: int
    harmless_refused: int


def blurred(pixels: Pixels, sigma_px: float) -> Pixels:
    """A picture out of focus by a Gaussian; 0 leaves it as it is."""
    if sigma_px == 0:
        return pixels
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), sigma_px), dtype=np.uint8)


def noisy(pixels: Pixels, noise: float, seed: int) -> Pixels:
    """A picture with this noise added, grey levels."""
    if noise == 0:
        return pixels
    grain = np.random.default_rng(seed).normal(0.0, noise, pixels.shape)
    return np.clip(np.rint(pixels + grain), 0, 255).astype(np.uint8)


def measure(
    fields: Iterable[LabelledField],
    blurs_um: Sequence[float] = BLURS_UM,
    segmenter: Segmenter | None = None,
    *,
    noise: float = 0.0,
) -> list[BlurredField]:
    """Every field at every blur, with noise added behind it; without a segmenter its F1 is not asked for."""
    return [
        _measured(number, field, replace(sharp, pixels=noisy(soft, noise, number)), blur, segmenter)
        for number, field in enumerate(fields)
        for sharp in [micrograph_of(field.path, field.um_per_px)]
        for blur in blurs_um
        for soft in [blurred(sharp.pixels, blur / field.um_per_px)]
    ]


def _measured(
    number: int, field: LabelledField, micrograph: Micrograph, blur_um: float, segmenter: Segmenter | None
) -> BlurredField:
    small, _ = resample(micrograph.pixels, min(1.0, micrograph.um_per_px / GATE_UM_PER_PX))
    green = np.asarray(cv2.extractChannel(small, 1), dtype=np.uint8)
    grey = cv2.cvtColor(micrograph.pixels, cv2.COLOR_RGB2GRAY)
    laplacian = float(cv2.Laplacian(grey, cv2.CV_64F).var())
    f1 = None if segmenter is None else _f1(segmenter, micrograph, field)
    return BlurredField(number, blur_um, sharpness_of(green), laplacian, f1)


def _f1(segmenter: Segmenter, micrograph: Micrograph, field: LabelledField) -> float:
    found, score = found_by(segmenter, micrograph), DetectionScore()
    for kind in KINDS:
        add_kind(score, kind, found, field)
    return score.f1


def ordered_within(seen: Sequence[BlurredField], measure_of: str) -> tuple[int, int]:
    """Pairs of two blurs of one field in which the less blurred one measures more, and all pairs."""
    pairs = [
        (one, other)
        for field in {one.field for one in seen}
        for one, other in combinations([each for each in seen if each.field == field], 2)
    ]
    return _right(pairs, measure_of), len(pairs)


def ordered_between(seen: Sequence[BlurredField], measure_of: str) -> tuple[int, int]:
    """The same for two different fields: a limit has to hold for any of them."""
    pairs = [
        (one, other) for one, other in product(seen, seen) if one.field != other.field and one.blur_um < other.blur_um
    ]
    return _right(pairs, measure_of), len(pairs)


def _right(pairs: Iterable[tuple[BlurredField, BlurredField]], measure_of: str) -> int:
    return sum((getattr(a, measure_of) > getattr(b, measure_of)) == (a.blur_um < b.blur_um) for a, b in pairs)


def losses_in(seen: Sequence[BlurredField], low: float, high: float) -> list[float]:
    """What each blurred field lost of the F1 it has as it is, 0-1, for a sharpness from `low` to below `high`."""
    sharp = {one.field: one.f1 or 0.0 for one in seen if one.blur_um == 0}
    return [
        sharp[one.field] - one.f1 for one in seen if one.f1 is not None and one.blur_um and low <= one.sharpness < high
    ]


def refusals(seen: Sequence[BlurredField], measure_of: str, limit: float) -> Refusals:
    """What a limit refuses, by whether the same field lost more than `COSTLY` of its F1 by being blurred."""
    sharp = {one.field: one.f1 for one in seen if one.blur_um == 0}
    outcomes = [
        ((sharp[one.field] or 0.0) - one.f1 > COSTLY, getattr(one, measure_of) < limit)
        for one in seen
        if one.f1 is not None
    ]
    costly = [refused for lost, refused in outcomes if lost]
    harmless = [refused for lost, refused in outcomes if not lost]
    return Refusals(limit, len(costly), sum(costly), len(harmless), sum(harmless))
