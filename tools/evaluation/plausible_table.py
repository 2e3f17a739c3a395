"""How many real fields are refused for what no smear shows, and how many pictures that are none are found."""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from rich.table import Table

from evaluation.tables import spread
from leukoscope.cameras.pictures import read_picture
from leukoscope.optics.plausibility import implausible
from leukoscope.optics.quality import GATE_UM_PER_PX
from leukoscope.optics.resampling import resample
from leukoscope.specimen.field import Flaw
from leukoscope.specimen.frame import Pixels

UM_PER_PX = {"deepbionet": 0.127, "txl": 0.1, "aslan": 0.134, "thesis": 0.20, "taleqani": 0.116, "bccd": 0.0706}
"""About; colours hardly depend on it."""
KRD_UM_PER_PX = 0.097


def plausible_table(data: Path, limit: int) -> Table:
    """One row per set of validation fields.

    Args:
        data: the data folder.
        limit: at most so many pictures per set; 0 takes all.
    """
    table = Table(title="Fields refused as no stained smear, and the same ones spoilt")
    for column in ("set", "fields", "refused", *_CHANGES):
        table.add_column(column, justify="left" if column == "set" else "right")
    sums = np.zeros(2 + len(_CHANGES), dtype=np.int64)
    for name, paths, um_per_px in _sets(data):
        chosen = spread(paths, limit)
        seen = np.zeros(2 + len(_CHANGES), dtype=np.int64)
        for path in chosen:
            small, _ = resample(read_picture(path), min(1.0, um_per_px / GATE_UM_PER_PX))
            seen += [1, _refused(small), *(_refused(change(small)) for change in _CHANGES.values())]
        sums += seen
        table.add_row(name, *_cells(seen))
    table.add_section()
    table.add_row("together", *_cells(sums))
    return table


def _in_order(*order: int) -> Callable[[Pixels], Pixels]:
    return lambda pixels: np.ascontiguousarray(pixels[..., order])


def _to_the_power(exponent: float) -> Callable[[Pixels], Pixels]:
    levels = np.rint(255 * (np.arange(256) / 255) ** exponent).astype(np.uint8)
    return lambda pixels: levels[pixels]


def _lit(*lamp: float) -> Callable[[Pixels], Pixels]:
    return lambda pixels: np.asarray(np.rint(pixels * np.array(lamp)), dtype=np.uint8)


_CHANGES: dict[str, Callable[[Pixels], Pixels]] = {
    "red, blue exchanged": _in_order(2, 1, 0),
    "red, green": _in_order(1, 0, 2),
    "green, blue": _in_order(0, 2, 1),
    "negative": lambda pixels: np.asarray(255 - pixels, dtype=np.uint8),
    "grey": _in_order(1, 1, 1),
    "decoded twice": _to_the_power(2.2),
    "encoded twice": _to_the_power(1 / 2.2),
    "blue lamp": _lit(0.7, 0.85, 1.0),
    "yellow lamp": _lit(1.0, 0.88, 0.65),
}
"""Pictures spoilt, and two lamps that no field ought to be refused for."""


def _refused(pixels: Pixels) -> bool:
    return implausible(pixels) in (Flaw.FOREIGN_COLOURS, Flaw.BLACK_SURROUND)


def _cells(seen: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> Iterator[str]:
    yield str(seen[0])
    for count in seen[1:]:
        yield f"{count} ({count / max(seen[0], 1):.1%})"


def _sets(data: Path) -> Iterator[tuple[str, list[Path], float]]:
    for name, um_per_px in UM_PER_PX.items():
        yield name, _images(data, data / "fields" / f"{name}.csv"), um_per_px
    masks = [path for path in _images(data, data / "masks.csv") if path.parent.name == "krd_wbc"]
    yield "krd_wbc", masks, KRD_UM_PER_PX


def _images(data: Path, table: Path) -> list[Path]:
    with table.open(newline="") as file:
        kept = {row["image"] for row in csv.DictReader(file) if row["split"] == "val"}
    return [data / image for image in sorted(kept) if (data / image).exists()]
