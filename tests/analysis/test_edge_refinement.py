import numpy as np
import pytest
from numpy.typing import NDArray

from leukoscope.analysis.edge_refinement import Edge, part, stain_density
from leukoscope.analysis.nucleus import draw_nucleus

EDGE = Edge(limit=0.5, colour_weight=0.5)
Flags = NDArray[np.bool_]
Share = NDArray[np.float32]


def disc(radius: float, side: int = 120, at: tuple[float, float] = (60, 60)) -> Flags:
    row, col = np.ogrid[:side, :side]
    return (row - at[0]) ** 2 + (col - at[1]) ** 2 <= radius**2


def soft(radius: float, width: float) -> Share:
    """A network's share that falls from 1 to 0 around a radius; `width` in pixels."""
    row, col = np.ogrid[:120, :120]
    away = np.hypot(row - 60, col - 60) - radius
    return (1 / (1 + np.exp(np.clip(away / width, -30, 30)))).astype(np.float32)


def picture(*parts: tuple[Flags, tuple[int, int, int]]) -> NDArray[np.uint8]:
    pixels = np.full((120, 120, 3), (235, 225, 215), np.uint8)
    for flags, colour in parts:
        pixels[flags] = colour
    noise = np.random.default_rng(2).normal(0, 4, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def shares(one: Flags, other: Flags) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


@pytest.mark.parametrize("um_per_px", [0.0706, 0.127, 0.2])
def test_colour_moves_a_soft_edge_to_where_the_cell_ends(um_per_px: float) -> None:
    truth = disc(36)
    density = stain_density(picture((truth, (150, 110, 180))), um_per_px)
    share = soft(41, 4.0)
    assert shares(share > 0.5, truth) < 0.90
    assert shares(part(share, density, EDGE, um_per_px), truth) > 0.96


def test_colour_does_not_overrule_a_certain_network() -> None:
    density = stain_density(picture((disc(36), (150, 110, 180))), 0.127)
    share = soft(20, 0.5)
    assert shares(part(share, density, EDGE, 0.127), disc(20)) > 0.95


def test_a_speck_of_the_cells_colour_is_left_out_where_the_network_is_certain() -> None:
    cell, speck = disc(30), disc(4, at=(15, 15))
    density = stain_density(picture((cell | speck, (150, 110, 180))), 0.127)
    drawn = part(np.where(cell, 0.99, 0.01).astype(np.float32), density, EDGE, 0.127)
    assert not drawn[speck].any()
    assert shares(drawn, cell) > 0.99


def test_a_network_that_is_certain_of_nothing_is_taken_at_its_word() -> None:
    density = stain_density(picture((disc(36), (150, 110, 180))), 0.127)
    share = np.where(disc(20), 0.7, 0.4).astype(np.float32)
    assert np.array_equal(part(share, density, EDGE, 0.127), disc(20))


def test_without_colour_the_limit_alone_decides() -> None:
    density = stain_density(picture((disc(36), (150, 110, 180))), 0.127)
    share = soft(36, 4.0)
    assert np.array_equal(part(share, density, Edge(0.7, 0.0), 0.127), share > 0.7)


def test_a_nucleus_stays_inside_its_cell_without_specks_or_gaps() -> None:
    cell, lobe, speck, gap = disc(45), disc(22), disc(2, at=(60, 95)), disc(3)
    pixels = picture((cell, (200, 170, 200)), (lobe | speck, (90, 40, 130)), (gap, (150, 110, 170)))
    share = np.maximum(soft(24, 2.0), 0.9 * speck).astype(np.float32) * ~gap
    nucleus = draw_nucleus(share, stain_density(pixels, 0.127), cell, 0.127)
    assert not (nucleus & ~cell).any()
    assert not nucleus[speck].any()
    assert nucleus[gap].all()
    assert shares(nucleus, lobe) > 0.96


def test_two_lobes_apart_are_both_kept() -> None:
    lobes = disc(12, at=(60, 40)) | disc(12, at=(60, 80))
    pixels = picture((disc(45), (200, 170, 200)), (lobes, (90, 40, 130)))
    share = np.where(lobes, 0.95, 0.05).astype(np.float32)
    assert shares(draw_nucleus(share, stain_density(pixels, 0.127), disc(45), 0.127), lobes) > 0.96


def test_a_cell_in_which_no_nucleus_is_seen_has_none() -> None:
    pixels = picture((disc(45), (200, 170, 200)))
    nucleus = draw_nucleus(np.full((120, 120), 0.1, np.float32), stain_density(pixels, 0.127), disc(45), 0.127)
    assert not nucleus.any()
