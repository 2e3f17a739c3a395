"""Pictures in a file: the same pixels, whatever memory they take at the moment."""

from pathlib import Path

import numpy as np

from leukoscope.optics.resampling import resample
from leukoscope.system.pixels_in_file import copied, empty_pixels, giving_back, is_in_file, let_go, pixels_from

SHAPE = (1_500, 2_000, 3)
PIXELS = np.random.default_rng(1).integers(0, 256, SHAPE, dtype=np.uint8)


def in_file_kib() -> int:
    """What the process has in memory of files."""
    (line,) = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("RssFile")]
    return int(line.split()[1])


def test_a_picture_that_was_let_go_takes_no_memory_and_has_its_pixels() -> None:
    pixels = pixels_from(lambda: np.array_split(PIXELS, 7), SHAPE)
    let_go(pixels)
    before = in_file_kib()
    assert np.array_equal(pixels, PIXELS)
    assert in_file_kib() - before > 7_000
    let_go(pixels[100:, 5:])
    assert in_file_kib() - before < 2_000
    assert np.array_equal(pixels, PIXELS)


def test_a_picture_can_be_filled_while_it_is_given_back() -> None:
    pixels = empty_pixels(SHAPE)
    with giving_back(pixels):
        for row, values in enumerate(PIXELS):
            pixels[row] = values
    assert np.array_equal(pixels, PIXELS)


def test_parts_of_a_picture_in_a_file_are_copied_and_others_are_what_they_were() -> None:
    pixels = pixels_from(lambda: [PIXELS], SHAPE)
    part = copied(pixels[300:900, 7:])
    assert np.array_equal(part, PIXELS[300:900, 7:])
    assert is_in_file(pixels[3:4]) and not is_in_file(part) and not is_in_file(PIXELS)
    let_go(PIXELS)


def test_a_large_picture_in_a_file_is_resampled_to_the_same_pixels() -> None:
    large = np.tile(PIXELS, (3, 3, 1))
    stored = pixels_from(lambda: [large], (large.shape[0], large.shape[1], 3))
    for zoom in (0.635, 0.31, 1.0):
        usual, usual_step = resample(large, zoom)
        small, step = resample(stored, zoom)
        assert np.array_equal(small, usual) and step == usual_step
