"""Form and colour of the nucleus, found by colour alone (Kasmin et al. 2012)."""

import cv2
import numpy as np
from skimage.measure import label, regionprops

from methods.device import Pixels
from methods.kinds import FeatureSet, Matrix, Pictures
from methods.parts import NUCLEUS_UM2, large, soft_green

UM_PER_PX = 0.15
COUNT = 17


def measure(pictures: Pictures) -> Matrix:
    """Area, perimeter, form, colour and texture of the nucleus nearest to the middle; zeros where none is found."""
    return np.asarray([_of_one(picture) for picture in pictures], dtype=np.float32)


def _of_one(picture: Pixels) -> np.typing.NDArray[np.float64]:
    green = soft_green(picture, UM_PER_PX)
    limit, _ = cv2.threshold(
        np.rint(255 * green[green < np.median(green)]).astype(np.uint8), 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU
    )
    dark = large(green < limit / 255, NUCLEUS_UM2 / 4, UM_PER_PX)
    found = regionprops(label(dark), intensity_image=picture)
    if not found:
        return np.zeros(COUNT)
    middle = np.array(picture.shape[:2]) / 2
    one = min(found, key=lambda piece: float(np.hypot(*(np.array(piece.centroid) - middle))))
    area_um2, perimeter_um = one.area * UM_PER_PX**2, one.perimeter * UM_PER_PX
    form = [
        area_um2,
        perimeter_um,
        4 * np.pi * area_um2 / max(perimeter_um**2, 1e-6),
        one.eccentricity,
        one.solidity,
        one.extent,
        one.axis_major_length * UM_PER_PX,
        one.axis_minor_length * UM_PER_PX,
        len(found),
    ]
    inside = picture[tuple(one.coords.T)]
    grey = cv2.Laplacian(picture[..., 1], cv2.CV_32F)[tuple(one.coords.T)]
    return np.concatenate([form, inside.mean(axis=0), inside.std(axis=0), [np.abs(grey).mean(), grey.std()]])


METHOD = FeatureSet("nucleus features", "Kasmin et al. 2012", lambda unlabelled, networks: measure)
