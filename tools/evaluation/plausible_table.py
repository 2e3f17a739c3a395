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
    for column in ("set", "fields", "refused", "red and blue exchanged: refused", "grey: refused"):
        table.add_column(column, justify="left" if column == "set" else "right")
    sums = np.zeros(4, dtype=np.int64)
    for name, paths, um_per_px in _sets(data):
        chosen = spread(paths, limit)
        seen = np.zeros(4, dtype=np.int64)
        for path in chosen:
            small, _ = resample(read_picture(path), min(1.0, um_per_px / GATE_UM_PER_PX))
            seen += [1, *(_refused(change(small)) for change in _CHANGES)]
        sums += seen
        table.add_row(name, *_cells(seen))
    table.add_section()
    table.add_row("together", *_cells(sums))
    return table


def _exchanged(pixels: Pixels) -> Pixels:
    return np.ascontiguousarray(pixels[..., ::-1])


def _grey(pixels: Pixels) -> Pixels:
    return np.repeat(pixels[..., 1:2], 3, axis=2)


_CHANGES: tuple[Callable[[Pixels], Pixels], ...] = (lambda pixels: pixels, _exchanged, _grey)


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
