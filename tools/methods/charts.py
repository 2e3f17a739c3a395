"""Draws accuracy against time."""

from collections.abc import Sequence
from pathlib import Path

from methods.results import Results, Row

NAMED = 6
"""So many of the best rows are named in the chart."""


def draw_charts(path: Path, results: Results) -> None:
    """Two charts in one PNG: named cells and segmented fields against milliseconds."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(13, 5.2), constrained_layout=True)
    _scatter(left, [*results.of("naming"), *results.of("deep")], "five", "five classes right", "ms a cell, one thread")
    _scatter(right, results.of("segmentation"), "red", "F1 of red cells", "ms a field of 640x480, one thread")
    figure.savefig(path, dpi=90, metadata={"Software": None})
    plt.close(figure)


def _scatter(axes: object, rows: Sequence[Row], figure: str, ordinate: str, abscissa: str) -> None:
    from matplotlib.axes import Axes

    assert isinstance(axes, Axes)
    points = [
        (ms, value, row)
        for row in rows
        if isinstance(ms := row.figures.get("ms"), float) and isinstance(value := row.figures.get(figure), float)
    ]
    points.sort(key=lambda point: -point[1])
    for kind, colour in (("naming", "tab:blue"), ("deep", "tab:orange"), ("segmentation", "tab:blue")):
        some = [point for point in points if point[2].kind == kind and point[2].name != "shipped"]
        axes.scatter([point[0] for point in some], [point[1] for point in some], s=22, color=colour)
    own = [point for point in points if point[2].name == "shipped"]
    axes.scatter([point[0] for point in own], [point[1] for point in own], s=90, marker="*", color="tab:red")
    for ms, value, row in [*own, *(point for point in points[: NAMED + 1] if point not in own)]:
        axes.annotate(str(row.figures["title"]), (ms, value), xytext=(5, 4), textcoords="offset points", fontsize=7)
    axes.set_xscale("log")
    axes.set_xlabel(abscissa)
    axes.set_ylabel(ordinate)
    axes.grid(alpha=0.3)
