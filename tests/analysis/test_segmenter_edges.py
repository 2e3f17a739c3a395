"""Cells that an edge cuts have thresholds of their own, on all four sides."""

from pathlib import Path

import pytest

from leukoscope.analysis.segmenter import Segmenter
from leukoscope.inference.bundle import Bundle, Manifest
from tests.analysis.test_segmenter import DiscNetwork
from tests.bundles import manifest
from tests.drawings import discs, micrograph_of

ROWS, COLS, RADIUS = 240, 320, 18.0
SCORE = 0.953
"""What `DiscNetwork` gives every disc: the sigmoid of 3."""


def found(centre: tuple[float, float], *, inside: float, at_edge: float) -> int:
    """How many cells a segmenter with these thresholds believes in one disc."""
    content = manifest(
        "segmenter",
        input={"rows": 320, "cols": 416, "um_per_px": 0.2},
        segmenter={
            "stride": 4,
            "margin_um": 10.0,
            "thresholds": {"rbc": inside, "wbc": inside, "platelet": inside},
            "edge_thresholds": {"rbc": at_edge},
        },
    )
    segmenter = Segmenter(Bundle(Path(), Manifest.model_validate(content)), DiscNetwork([centre], RADIUS))
    return len(segmenter.find_cells(micrograph_of(discs([centre], size=(ROWS, COLS), radius=RADIUS))))


EDGES = pytest.mark.parametrize(
    "centre",
    [
        pytest.param((6.0, 160.0), id="upper"),
        pytest.param((120.0, 6.0), id="left"),
        pytest.param((ROWS - 6.0, 160.0), id="lower"),
        pytest.param((120.0, COLS - 6.0), id="right"),
    ],
)


@EDGES
def test_a_cell_cut_by_an_edge_needs_the_score_of_the_edge(centre: tuple[float, float]) -> None:
    assert found(centre, inside=SCORE - 0.2, at_edge=SCORE + 0.02) == 0
    assert found(centre, inside=SCORE - 0.2, at_edge=SCORE - 0.02) == 1


@EDGES
def test_a_lower_score_may_suffice_at_an_edge(centre: tuple[float, float]) -> None:
    assert found(centre, inside=SCORE + 0.02, at_edge=SCORE - 0.2) == 1


def test_a_cell_away_from_the_edges_needs_the_score_of_the_inside() -> None:
    assert found((120.0, 160.0), inside=SCORE + 0.02, at_edge=SCORE - 0.2) == 0
    assert found((120.0, 160.0), inside=SCORE - 0.02, at_edge=SCORE + 0.02) == 1
