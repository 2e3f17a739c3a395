"""A picture of any size through a network of one size: overlapping tiles in, one seamless answer out."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from leukoscope.inference.network import Network


@dataclass(frozen=True, slots=True)
class Span:
    """One tile along one axis, in output steps of `stride` pixels."""

    start: int
    """Where the tile begins in the picture."""
    keep_from: int
    """First step of the picture this tile answers for."""
    keep_to: int
    """One past the last step it answers for."""


def spans(length: int, tile: int, margin: int) -> Iterator[Span]:
    """Tiles that cover `length` steps; neighbours overlap by twice the margin and split it in the middle.

    Args:
        length: steps to cover.
        tile: steps in one tile.
        margin: steps at a tile's inner edges that are not to be trusted.

    Raises:
        ValueError: the margins leave nothing of a tile.
    """
    if length <= tile:
        yield Span(0, 0, length)
        return
    core = tile - 2 * margin
    if core <= 0:
        raise ValueError(f"expected a margin below half a tile of {tile} steps, found {margin}")
    count = -(-(length - 2 * margin) // core)
    starts = [round(index * (length - tile) / (count - 1)) for index in range(count)]
    edges = [0, *((one + tile + other) // 2 for one, other in itertools.pairwise(starts)), length]
    for start, (low, high) in zip(starts, itertools.pairwise(edges), strict=True):
        yield Span(start, low, high)


def tile_side(length: int, multiple: int, margin: int, most: int) -> int:
    """The smallest side with which as few tiles as can be cover a length; all in pixels.

    Args:
        length: of the picture along this axis.
        multiple: of what the network takes.
        margin: at a tile's inner edges that is not to be trusted.
        most: the largest side allowed, rounded down to the multiple.

    Raises:
        ValueError: the margins leave nothing of the largest tile.
    """
    most -= most % multiple
    core = most - 2 * margin
    if core <= 0:
        raise ValueError(f"expected a margin below half a tile of {most} pixels, found {margin}")
    count = 1 if length <= most else -(-(length - 2 * margin) // core)
    needed = length if count == 1 else -(-(length - 2 * margin) // count) + 2 * margin
    return min(most, -(-needed // multiple) * multiple)


def run_tiled(
    network: Network, picture: NDArray[np.uint8], *, tile: tuple[int, int], stride: int, margin_px: int
) -> dict[str, NDArray[np.float32]]:
    """Run a fully convolutional network over a picture.

    A picture smaller than a tile is padded with its median colour, as in training.

    Args:
        network: answers maps of one point per `stride` pixels.
        picture: RGB, shape (rows, cols, 3).
        tile: (rows, cols) the network takes, in pixels, multiples of `stride`.
        stride: pixels per output point.
        margin_px: how far from a tile's inner edges answers are dropped, in pixels.

    Returns:
        Output name to map, shape (ceil(rows / stride), ceil(cols / stride), channels).
    """
    rows, cols = (-(-side // stride) for side in picture.shape[:2])
    tile_rows, tile_cols = tile[0] // stride, tile[1] // stride
    margin = -(-margin_px // stride)
    picture = _padded(picture, max(tile[0], rows * stride), max(tile[1], cols * stride))
    whole: dict[str, NDArray[np.float32]] = {}
    for vertical in spans(rows, tile_rows, margin):
        for horizontal in spans(cols, tile_cols, margin):
            top, left = vertical.start * stride, horizontal.start * stride
            for name, values in network.run(picture[top : top + tile[0], left : left + tile[1]]).items():
                if name not in whole:
                    # Channel by channel in memory, which is how the maps are read.
                    planes = np.empty((values.shape[2], rows, cols), dtype=np.float32)
                    whole[name] = planes.transpose(1, 2, 0)
                whole[name][vertical.keep_from : vertical.keep_to, horizontal.keep_from : horizontal.keep_to] = values[
                    vertical.keep_from - vertical.start : vertical.keep_to - vertical.start,
                    horizontal.keep_from - horizontal.start : horizontal.keep_to - horizontal.start,
                ]
    return whole


def _padded(picture: NDArray[np.uint8], rows: int, cols: int) -> NDArray[np.uint8]:
    """The picture in the upper left of a larger one, the rest in its median colour."""
    below, beside = rows - picture.shape[0], cols - picture.shape[1]
    if below == beside == 0:
        return picture
    some = picture[::8, ::8].reshape(-1, 3)
    colour = np.partition(some, len(some) // 2, axis=0)[len(some) // 2].tolist()
    padded = cv2.copyMakeBorder(picture, 0, below, 0, beside, cv2.BORDER_CONSTANT, value=colour)
    return np.asarray(padded, dtype=np.uint8)
