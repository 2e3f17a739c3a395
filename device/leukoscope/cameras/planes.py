"""Pictures whose brightness and colour lie in planes of their own, as video hardware makes them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from leukoscope.specimen.frame import Pixels


def rgb_from_yuv420(planes: NDArray[np.uint8], width: int, height: int) -> Pixels:
    """RGB (height, width, 3) from I420: Y above U above V, colour in half the rows and columns.

    Args:
        planes: shape (1.5 * height, stride), uint8; rows may be longer than the picture is wide. Full range
            (JFIF, what libcamera calls sYCC), which OpenCV's own conversion from I420 does not know.
        width: pixels across, even.
        height: pixels down, even.
    """
    stride = planes.shape[1]
    blue, red = np.ascontiguousarray(planes[height:]).reshape(2, height // 2, stride // 2)
    size = (stride, height)
    stacked = cv2.merge(
        [
            np.ascontiguousarray(planes[:height]),
            cv2.resize(red, size, interpolation=cv2.INTER_NEAREST),
            cv2.resize(blue, size, interpolation=cv2.INTER_NEAREST),
        ]
    )
    rgb = cv2.cvtColor(stacked, cv2.COLOR_YCrCb2RGB)[:, :width]
    return np.ascontiguousarray(rgb, dtype=np.uint8)


def yuv420_from_rgb(rgb: Pixels, alignment: int) -> NDArray[np.uint8]:
    """I420 planes of an RGB picture with even sides, rows padded to a multiple of `alignment` bytes (even)."""
    height, width = rgb.shape[:2]
    padded = np.pad(rgb, ((0, 0), (0, -width % alignment), (0, 0)))
    luma, red, blue = cv2.split(cv2.cvtColor(padded, cv2.COLOR_RGB2YCrCb))
    half = (padded.shape[1] // 2, height // 2)
    colour = [cv2.resize(plane, half, interpolation=cv2.INTER_AREA) for plane in (blue, red)]
    chroma = np.stack(colour).reshape(height // 2, padded.shape[1])
    return np.vstack([luma, chroma]).astype(np.uint8)
