"""Rows of the segmentations: tuned on the training split, judged on the validation split."""

from collections.abc import Iterator
from functools import partial
from itertools import product

from methods.bench import Bench
from methods.clock import Stopwatch
from methods.device import network_kb
from methods.jobs import Figures, Job
from methods.kinds import NoData, Segmentation
from methods.loading import load, sources
from methods.scoring import Find, at_scale, score_all
from methods.segmentation import NAMES

KIND = "segmentation"
AMOUNTS = ("tuning_pictures", "val_pictures")


def jobs() -> Iterator[Job]:
    """One row per file."""
    for name in NAMES:
        files = sources(f"segmentation/{name}.py", "parts.py", "scoring.py")
        yield Job(KIND, name, files, partial(_measure, name), AMOUNTS, networks=name == "shipped")


def tuned(method: Segmentation, bench: Bench) -> tuple[Find, dict[str, float]]:
    """The method with the parameters that are best on the training split, and these."""
    extra: dict[str, object] = {"segmenter": bench.networks.segmenter} if method.networks else {}
    choices = [dict(zip(method.grid, values, strict=True)) for values in product(*method.grid.values())]
    ways = [_way(method, extra | choice) for choice in choices]
    if len(ways) == 1:
        return ways[0], choices[0]
    scores = [score_all(bench.tuning, way).goodness for way in ways]
    best = max(range(len(ways)), key=scores.__getitem__)
    return ways[best], choices[best]


def _way(method: Segmentation, parameters: dict[str, object]) -> Find:
    find: Find = partial(method.find, **parameters)
    return at_scale(find, method.um_per_px) if method.um_per_px else find


def _measure(name: str, bench: Bench) -> Figures:
    method: Segmentation = load("segmentation", name)
    if not any(bench.judged.values()):
        raise NoData("no data: no fields and no masks")
    fitting = Stopwatch()
    with fitting.running():
        find, parameters = tuned(method, bench)
    score = score_all(bench.judged, find)
    pictures = sum(len(some) for some in bench.judged.values())
    return score.figures() | {
        "title": method.name,
        "paper": method.paper,
        "parameters": ", ".join(f"{key} {value:g}" for key, value in parameters.items()),
        "ms": score.watch.each_ms,
        "kb": network_kb("segmenter") if method.networks else 0.0,
        "fit minutes": fitting.minutes if method.grid else 0.0,
        "pictures": pictures,
    }
