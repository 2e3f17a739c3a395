"""`leukoscope reference`: how large this bench's cells are, from fields of several specimens, nothing named."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from leukoscope.cameras.pictures import read_picture
from leukoscope.cli.each_picture import for_each_picture
from leukoscope.cli.stored_pictures import ScaleOption, SegmenterOption
from leukoscope.errors import CalibrationError, PictureError
from leukoscope.optics.quality import QualityGate, QualityLimits
from leukoscope.optics.size_reference import FEWEST_SPECIMENS, ReferenceCells
from leukoscope.service.models import micrograph_of_scale, open_segmenter
from leukoscope.settings import ModelSettings
from leukoscope.system.output_file import write_output


def reference(
    pictures: Annotated[list[str], typer.Argument(help="Fields: files, or folders, one for each specimen.")],
    um_per_px: ScaleOption,
    out: Annotated[Path, typer.Option(help="Where to write it.")] = Path("reference.json"),
    segmenter: SegmenterOption = "segmenter",
) -> None:
    """Measure the usual size of this bench's red and white cells, for `--reference` of examine and classify."""
    finder, gate = open_segmenter(ModelSettings(segmenter=segmenter)), QualityGate(QualityLimits())
    gathered = ReferenceCells()

    def measure_one(path: Path) -> None:
        micrograph = micrograph_of_scale(path.name, read_picture(path), um_per_px)
        if flaws := gate.assess(micrograph, stain=True).flaws:
            raise PictureError(
                f"{path} is left out: {', '.join(flaw.value for flaw in flaws)}", "leave the picture out"
            )
        gathered.add(str(path.parent), finder.find_cells(micrograph))

    complete = for_each_picture(pictures, measure_one)
    made = gathered.measured(um_per_px, datetime.now(UTC))
    try:
        write_output(out, made.as_bytes())
    except OSError as error:
        raise CalibrationError(
            f"{out} cannot be written ({error.strerror})", "check the folder and its owner"
        ) from error
    typer.echo(
        f"{out}: {made.red_cells} red and {made.white_cells} white cells of {made.specimens} specimens; scale times "
        f"{made.scale:.3f}, cells shown {made.enlarged:.3f} times as large"
    )
    if made.specimens < FEWEST_SPECIMENS:
        typer.echo(
            f"leukoscope: warning: {made.specimens} specimens; one patient's cells may all be large or small: give a "
            f"folder each of {FEWEST_SPECIMENS} or more, and never the specimen that is to be examined",
            err=True,
        )
    if not complete:
        raise typer.Exit(2)
