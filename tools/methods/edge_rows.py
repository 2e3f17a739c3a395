"""Rows of the edge detectors, judged against drawn outlines of white cells and nuclei."""

from collections.abc import Callable, Iterator
from functools import partial

import cv2
import numpy as np

from methods.bench import Bench
from methods.boundaries import border_of, boundary_f1
from methods.clock import Stopwatch
from methods.device import Pixels, Segmenter
from methods.edges import NAMES
from methods.jobs import Figures, Job
from methods.kinds import EdgeDetector, Flags, NoData
from methods.loading import load, sources
from methods.pictures import OUTLINE_SETS, Picture

KIND = "edges"
AMOUNTS = ("tuning_pictures", "val_pictures")
AROUND_UM = 1.5
"""Edges farther outside the drawn cell than this are of other cells and not judged."""
Draw = Callable[[Pixels, float], Flags]


def jobs() -> Iterator[Job]:
    """One row per file, and the outlines that the shipped segmenter draws."""
    for name in NAMES:
        files = sources(f"edges/{name}.py", "edge_rows.py", "boundaries.py")
        yield Job(KIND, name, files, partial(_measure, name), AMOUNTS)
    files = sources("edge_rows.py", "boundaries.py", "segmentation/shipped.py")
    yield Job(KIND, "shipped", files, _measure_shipped, AMOUNTS, networks=True)


def _measure(name: str, bench: Bench) -> Figures:
    method: EdgeDetector = load("edges", name)
    fitting = Stopwatch()
    with fitting.running():
        scores = [_score(bench, "tuning", _drawn(method, one), Stopwatch())["edge"] for one in method.strengths]
        strength = method.strengths[int(np.argmax([score or 0.0 for score in scores]))]
    watch = Stopwatch()
    figures = _score(bench, "judged", _drawn(method, strength), watch)
    return figures | {
        "title": method.name,
        "paper": method.paper,
        "parameters": f"strength {strength:g}",
        "ms": watch.each_ms,
        "fit minutes": fitting.minutes,
    }


def _measure_shipped(bench: Bench) -> Figures:
    watch = Stopwatch()
    figures = _score(bench, "judged", partial(_outlines, segmenter=bench.networks.segmenter), watch)
    return figures | {"title": "leukoscope's outlines", "paper": "models/segmenter/CARD.md", "ms": watch.each_ms}


def _drawn(method: EdgeDetector, strength: float) -> Draw:
    return lambda pixels, um_per_px: method.draw(_grey(pixels), um_per_px, strength)


def _grey(pixels: Pixels) -> np.typing.NDArray[np.float64]:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) / 255.0)


def _outlines(pixels: Pixels, um_per_px: float, segmenter: Segmenter) -> Flags:
    parts = load("segmentation", "shipped").find(pixels, um_per_px, segmenter=segmenter)
    return border_of(parts.white) | border_of(parts.nucleus)


def _score(bench: Bench, what: str, draw: Draw, watch: Stopwatch) -> dict[str, float | None]:
    pictures = [one for name in OUTLINE_SETS for one in getattr(bench, what)[name]]
    if not pictures:
        raise NoData("no data: no masks")
    values: dict[str, list[float]] = {}
    for picture in pictures:
        with watch.running():
            edges = draw(picture.pixels, picture.um_per_px)
        values.setdefault(picture.source, []).append(_agreement(picture, edges))
    means = {f"edge {name}": float(np.mean(some)) for name, some in values.items()}
    return {"edge": float(np.mean(list(means.values()))), **means}


def _agreement(picture: Picture, edges: Flags) -> float:
    drawn = picture.drawn
    if drawn is None:
        return 0.0
    outside = cv2.distanceTransform((~drawn.cell).astype(np.uint8), cv2.DIST_L2, 5)
    near = outside * picture.um_per_px <= AROUND_UM
    expected = border_of(drawn.cell)
    if picture.has_nuclei:
        expected = expected | border_of(drawn.nucleus)
    return boundary_f1(edges & near, expected, picture.um_per_px)
