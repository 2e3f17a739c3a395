"""A decision tree over the form and colour of a field's nuclei (Kasmin et al. 2012)."""

from collections.abc import Callable, Sequence

import numpy as np
from skimage.measure import label, regionprops
from sklearn.tree import DecisionTreeClassifier

from methods.device import Pixels
from methods.kinds import VerdictMethod
from methods.loading import load
from methods.scoring import at_scale


def _features(pixels: Pixels, um_per_px: float) -> np.typing.NDArray[np.float64]:
    method = load("segmentation", "nucleus_chan_vese")
    parts = at_scale(lambda some, scale: method.find(some, scale, 1.0), method.um_per_px)(pixels, um_per_px)
    found = regionprops(label(parts.nucleus), intensity_image=pixels)
    if not found:
        return np.zeros(9)
    rows = np.array(
        [
            (one.area * um_per_px**2, one.eccentricity, one.solidity, one.perimeter * um_per_px, *one.intensity_mean)
            for one in found
        ]
    )
    return np.array([len(found), *np.median(rows, axis=0), float(rows[:, 0].std())])


def fit(fields: Sequence[Pixels], leukaemic: Sequence[bool], um_per_px: float) -> Callable[[Pixels], bool]:
    """Medians over the field's nuclei."""
    seen = np.stack([_features(field, um_per_px) for field in fields])
    tree = DecisionTreeClassifier(min_samples_leaf=3, class_weight="balanced", random_state=0).fit(seen, leukaemic)
    return lambda field: bool(tree.predict(_features(field, um_per_px)[None])[0])


METHOD = VerdictMethod("nucleus features, decision tree", "Kasmin et al. 2012", fit)
