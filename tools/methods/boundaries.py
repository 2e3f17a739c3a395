"""How well a drawn outline agrees with an annotated one."""

import cv2
import numpy as np

from methods.kinds import Flags

TOLERANCE_UM = 0.5


def border_of(flags: Flags) -> Flags:
    """Pixels of an area that touch its outside; the picture's edge is no border."""
    inner = cv2.erode(flags.astype(np.uint8), np.ones((3, 3), np.uint8), borderType=cv2.BORDER_REPLICATE)
    return np.asarray(flags & (inner == 0))


def boundary_f1(found: Flags, expected: Flags, um_per_px: float, tolerance_um: float = TOLERANCE_UM) -> float:
    """F1 of border pixels that have one of the other border within the tolerance (Csurka et al. 2013); 0-1.

    Args:
        found: border pixels of the method.
        expected: border pixels of the annotators.
        um_per_px: scale of both.
        tolerance_um: at least one pixel and a half is allowed.
    """
    if not found.any() or not expected.any():
        return float(found.any() == expected.any())
    reach_px = max(1.5, tolerance_um / um_per_px)
    precision = float((_distance(expected)[found] <= reach_px).mean())
    recall = float((_distance(found)[expected] <= reach_px).mean())
    return 2 * precision * recall / max(precision + recall, 1e-9)


def _distance(flags: Flags) -> np.typing.NDArray[np.float32]:
    return np.asarray(cv2.distanceTransform((~flags).astype(np.uint8), cv2.DIST_L2, 5), dtype=np.float32)
