"""The table of outlines: Dice with drawn masks, beside Otsu's threshold."""

from pathlib import Path

from rich.table import Table

from evaluation.field_table import micrograph_of
from evaluation.outlines import MASK_SETS, WITH_NUCLEI, draw_by_network, draw_by_otsu, read_masks, score_outlines
from evaluation.tables import spread
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.cameras.pictures import read_picture


def outline_table(segmenter: Segmenter, name_of_it: str, data: Path, limit: int) -> Table:
    """Dice of whole white cells and of nuclei; arguments as in `field_table`."""
    table = Table(title=f"White cells, Dice with drawn masks: {name_of_it} beside Otsu's threshold")
    for column in (
        "set, val",
        "part",
        "pictures",
        "mean",
        "median",
        "missed",
        "mean of found",
        "Otsu mean",
        "its median",
    ):
        table.add_column(column, justify="left" if column in ("set, val", "part") else "right")
    for name in MASK_SETS:
        pictures = spread(read_masks(data, name, "val"), limit)
        ours = score_outlines(
            pictures, lambda picture: draw_by_network(segmenter, micrograph_of(picture.path, picture.um_per_px))
        )
        plain = score_outlines(pictures, lambda picture: draw_by_otsu(read_picture(picture.path)))
        for part, one, other in zip(("whole cell", "nucleus"), ours, plain, strict=True):
            if part == "whole cell" or name in WITH_NUCLEI:
                numbers = (one.mean, one.median, one.missed, one.mean_of_found, other.mean, other.median)
                shown = (str(n) if isinstance(n, int) else f"{n:.4f}" for n in numbers)
                table.add_row(name, part, str(len(pictures)), *shown)
    return table
