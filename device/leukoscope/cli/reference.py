"""`leukoscope reference`: how large this bench's cells are, from fields of several specimens, nothing named."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from leukoscope.cameras.picture_files import find_pictures
from leukoscope.cameras.pictures import read_picture
from leukoscope.cli.pictures import ScaleOption, SegmenterOption
from leukoscope.errors import LeukoscopeError
from leukoscope.optics.size_reference import FEWEST_SPECIMENS, ReferenceCells
from leukoscope.service.models import micrograph_of_scale, open_segmenter
from leukoscope.settings import ModelSettings
from leukoscope.system.durable_files import write_whole


def reference(
    pictures: Annotated[list[str], typer.Argument(help="Fields: files, or folders, one for each specimen.")],
    um_per_px: ScaleOption,
    out: Annotated[Path, typer.Option(help="Where to write it.")] = Path("reference.json"),
    segmenter: SegmenterOption = "segmenter",
) -> None:
    """Measure the usual size of this bench's red and white cells, for `--reference` of examine and classify."""
    finder = open_segmenter(ModelSettings(segmenter=segmenter))
    gathered = ReferenceCells()
    left_out = 0
    for path in find_pictures(pictures):
        try:
            micrograph = micrograph_of_scale(path.name, read_picture(path), um_per_px)
        except LeukoscopeError as error:
            typer.echo(f"left out: {error}", err=True)
            left_out += 1
            continue
        gathered.add(str(path.parent), finder.find_cells(micrograph))
    made = gathered.measured(um_per_px, datetime.now(UTC))
    write_whole(out, made.as_bytes())
    typer.echo(
        f"{out}: {made.red_cells} red and {made.white_cells} white cells of {made.specimens} specimens; scale times "
        f"{made.scale:.3f}, cells shown {made.enlarged:.3f} times as large"
    )
    if made.specimens < FEWEST_SPECIMENS:
        typer.echo(
            f"warning: {made.specimens} specimens; one patient's cells may all be large or small: give a folder each "
            f"of {FEWEST_SPECIMENS} or more, and never the specimen that is to be examined",
            err=True,
        )
    if left_out:
        sys.exit(2)
