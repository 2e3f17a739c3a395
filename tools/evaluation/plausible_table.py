"""How many real fields are refused for what no smear shows, and how many pictures that are none are found."""

import csv
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
from rich.table import Table

from evaluation import no_smears
from evaluation.tables import spread
from leukoscope.analysis.blood_check import not_blood
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.cameras.pictures import read_picture
from leukoscope.optics.plausibility import BACKGROUND_PERCENT
from leukoscope.optics.quality import QualityGate, QualityLimits
from leukoscope.specimen.field import Flaw
from leukoscope.specimen.frame import Frame, Micrograph, Pixels

UM_PER_PX = {
    "deepbionet": 0.127,
    "txl": 0.1,
    "aslan": 0.134,
    "thesis": 0.20,
    "taleqani": 0.116,
    "bccd": 0.0706,
    "chula_rbc12": 0.19,
}
"""About; colours hardly depend on it."""
KRD_UM_PER_PX = 0.097


JPEG_QUALITY = 95
OF_EACH_KIND = 12
"""Pictures drawn of each kind of thing that is no smear."""


def plausible_table(finder: Segmenter, data: Path, limit: int) -> Table:
    """One row per set of validation fields, and how many of each kind of drawn thing are refused for any reason.

    Args:
        finder: finds the cells that the second half of the check asks for.
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
            pixels = read_picture(path)
            forms = (pixels, *(change(pixels) for change in _CHANGES.values()))
            seen += [1, *(bool(_flaws(finder, form, um_per_px) & _NO_SMEAR) for form in forms)]
        sums += seen
        table.add_row(name, *_cells(seen))
    table.add_section()
    table.add_row("together", *_cells(sums))
    table.add_section()
    for kind, draw in no_smears.KINDS.items():
        refused = sum(bool(_flaws(finder, draw(number), no_smears.UM_PER_PX)) for number in range(OF_EACH_KIND))
        table.add_row(kind, *_cells(np.array([OF_EACH_KIND, refused], dtype=np.int64)))
    return table


def _in_order(*order: int) -> Callable[[Pixels], Pixels]:
    return lambda pixels: np.ascontiguousarray(pixels[..., order])


def _to_the_power(exponent: float) -> Callable[[Pixels], Pixels]:
    levels = np.rint(255 * (np.arange(256) / 255) ** exponent).astype(np.uint8)
    return lambda pixels: levels[pixels]


def _lit(*lamp: float) -> Callable[[Pixels], Pixels]:
    return lambda pixels: np.asarray(np.rint(pixels * np.array(lamp)), dtype=np.uint8)


def _as_jpeg(change: Callable[[Pixels], Pixels]) -> Callable[[Pixels], Pixels]:
    def compressed(pixels: Pixels) -> Pixels:
        _, packed = cv2.imencode(".jpg", change(pixels), [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        return np.asarray(cv2.imdecode(packed, cv2.IMREAD_UNCHANGED), dtype=np.uint8)

    return compressed


def _stained(times: float) -> Callable[[Pixels], Pixels]:
    """So many times the optical density over the bare glass, which keeps its level (Beer and Lambert)."""

    def stronger(pixels: Pixels) -> Pixels:
        glass = np.percentile(pixels[::4, ::4].reshape(-1, 3), BACKGROUND_PERCENT, axis=0) + 1
        levels = glass * ((pixels.astype(np.float64) + 1) / glass) ** times - 1
        return np.asarray(np.clip(np.rint(levels), 0, 255), dtype=np.uint8)

    return stronger


_CHANGES: dict[str, Callable[[Pixels], Pixels]] = {
    "red, blue exchanged": _in_order(2, 1, 0),
    "red, green": _in_order(1, 0, 2),
    "green, blue": _in_order(0, 2, 1),
    "negative": lambda pixels: np.asarray(255 - pixels, dtype=np.uint8),
    "grey": _in_order(1, 1, 1),
    "decoded twice": _to_the_power(2.2),
    "decoded twice, as JPEG": _as_jpeg(_to_the_power(2.2)),
    "encoded twice": _to_the_power(1 / 2.2),
    "blue lamp": _lit(0.7, 0.85, 1.0),
    "yellow lamp": _lit(1.0, 0.88, 0.65),
    "1.6 of the stain": _stained(1.6),
    "1.8 of the stain": _stained(1.8),
}
"""Pictures spoilt, and two lamps and two strong stains that no field ought to be refused for."""


_NO_SMEAR = frozenset({Flaw.FOREIGN_COLOURS, Flaw.NO_BLOOD, Flaw.BLACK_SURROUND})
_GATE = QualityGate(QualityLimits())


def _flaws(finder: Segmenter, pixels: Pixels, um_per_px: float) -> frozenset[Flaw]:
    """What an instrument refuses a field for."""
    frame = Frame(pixels, 1, datetime(2026, 1, 1, tzinfo=UTC), "stored")
    micrograph = Micrograph(pixels, um_per_px, frame, "stored")
    quality = _GATE.assess(micrograph, stain=True)
    if quality.flaws:
        return frozenset(quality.flaws)
    why = not_blood(micrograph, quality, finder.find_cells(micrograph), stained=True)
    return frozenset() if why is None else frozenset({why})


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
