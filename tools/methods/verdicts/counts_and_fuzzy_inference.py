"""Fuzzy inference from how many white cells a field shows and how large their nuclei are (Talukdar)."""

from collections.abc import Callable, Sequence

import numpy as np
from skfuzzy import interp_membership, smf, zmf

from methods.device import Pixels
from methods.kinds import VerdictMethod
from methods.loading import load
from methods.scoring import at_scale

LEVELS = np.linspace(0, 1, 101)
FEW_MANY = smf(LEVELS, 0.2, 0.8)
NORMAL = zmf(LEVELS, 0.2, 0.8)


def _counts(pixels: Pixels, um_per_px: float) -> np.typing.NDArray[np.float64]:
    """White share of all cell area, and median nucleus, µm²."""
    from skimage.measure import label, regionprops

    method = load("segmentation", "wavelet_fuzzy")
    parts = at_scale(lambda some, scale: method.find(some, scale, 1.5), method.um_per_px)(pixels, um_per_px)
    nuclei = [one.area * um_per_px**2 for one in regionprops(label(parts.nucleus))]
    white = 0.0 if parts.white is None else float(parts.white.mean())
    return np.array([white, float(np.median(nuclei)) if nuclei else 0.0])


def fit(fields: Sequence[Pixels], leukaemic: Sequence[bool], um_per_px: float) -> Callable[[Pixels], bool]:
    """What "few" and "large" mean is read from the training fields; the rules stay as they are."""
    seen = np.stack([_counts(field, um_per_px) for field in fields])
    low, high = np.quantile(seen, 0.05, axis=0), np.quantile(seen, 0.95, axis=0)

    def judge(field: Pixels) -> bool:
        share, size = np.clip((_counts(field, um_per_px) - low) / np.maximum(high - low, 1e-6), 0, 1)
        many, large = (float(interp_membership(LEVELS, FEW_MANY, value)) for value in (share, size))
        few, small = (float(interp_membership(LEVELS, NORMAL, value)) for value in (share, size))
        return max(min(many, large), min(many, small)) > max(min(few, small), min(few, large))

    return judge


METHOD = VerdictMethod("wavelet, counts, fuzzy inference", "Talukdar", fit)
