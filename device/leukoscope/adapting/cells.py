"""Where the cells come from that a classifier is fitted to: a folder, reviewed reports, or unnamed fields."""

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from leukoscope.analysis.classifier import Classifier
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.cameras.picture_kinds import SUFFIXES
from leukoscope.cameras.pictures import read_picture
from leukoscope.errors import AdaptingError
from leukoscope.optics.calibration import Calibration
from leukoscope.outbox.cell_pictures import pictures_of
from leukoscope.reviewing.desk import Desk
from leukoscope.reviewing.named_cells import UM_PER_PX, in_the_middle
from leukoscope.sentence import Sentence
from leukoscope.specimen.cell import CellKind
from leukoscope.specimen.frame import Frame
from leukoscope.specimen.sample import Source

SHOWN_UM = 9.6
"""Half of what a classifier looks at: a picture with less was cut too close."""
MOST_REPORTS = 10_000
"""The latest; more than an outbox keeps."""
ENOUGH_UNNAMED = 1000
"""Cells of field pictures after which no further field is searched."""
Window = NDArray[np.uint8]


@dataclass(slots=True)
class NamedCells:
    """Cells that people named, each in the middle of a classifier's window."""

    windows: list[Window] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    """A class of the bundle, or a group of classes."""
    specimens: list[str] = field(default_factory=list)

    def add(self, window: Window, label: str, specimen: str) -> None:
        """One cell more."""
        self.windows.append(window)
        self.labels.append(label)
        self.specimens.append(specimen)


@dataclass(slots=True)
class UnnamedCells:
    """Cells that no person has named, each in the middle of a classifier's window."""

    windows: list[Window] = field(default_factory=list)
    specimens: list[str] = field(default_factory=list)
    """The specimen of each cell; "" where it is unknown."""


def named_in_folder(folder: Path, um_per_px: float, namer: Classifier, known: Collection[str]) -> NamedCells:
    """The cells of FOLDER/CLASS/PICTURE or FOLDER/CLASS/SPECIMEN/PICTURE, each in the middle of its picture.

    A picture without a specimen's folder is a specimen of its own.

    Args:
        folder: links to folders in it are followed.
        um_per_px: scale of the pictures.
        namer: whose window is cut.
        known: what a folder may be named after.

    Raises:
        AdaptingError: the folder is none or holds none, a folder is not named after a class, or a picture was cut too
            close around its cell.
        PictureError: a picture cannot be read.
    """
    found = NamedCells()
    for path in pictures_below(folder):
        label, *between = path.relative_to(folder).parent.parts or ("",)
        if label not in known:
            where = f"a folder {label!r}" if label else f"{path.name} outside of them"
            raise AdaptingError(
                f"expected folders named after classes ({', '.join(sorted(known))}) in {folder}, found {where}",
                "sort the pictures into one folder per class",
            )
        pixels = read_picture(path)
        rows, cols = pixels.shape[:2]
        if min(rows, cols) * um_per_px < SHOWN_UM:
            raise AdaptingError(
                f"{path} shows {cols * um_per_px:.1f} x {rows * um_per_px:.1f} µm, expected {SHOWN_UM} µm around the "
                "cell or more",
                "cut the cells out larger, or correct the scale",
            )
        window = namer.cut_out(pixels, (rows / 2, cols / 2), um_per_px)
        found.add(window, label, between[0] if between else path.stem)
    return found


def cells_of_reports(
    desk: Desk, source: Source, namer: Classifier, known: Collection[str]
) -> tuple[NamedCells, UnnamedCells]:
    """The pictured cells of a bench's reports, by what the specimen is called: with a person's name, and without.

    Args:
        desk: with the reports.
        source: only reports of such pictures teach.
        namer: whose window is cut.
        known: classes of the bundle; cells that a person called otherwise are left out.

    Raises:
        AdaptingError: people have named none.
    """
    named, unnamed = NamedCells(), UnnamedCells()
    reports = desk.reports(MOST_REPORTS)
    of_source = [(report, entry) for report, entry in reports if report.provenance.source is source]
    for report, entry in of_source:
        kept = pictures_of(desk.outbox, entry.key.id, entry.key.version)
        specimen = report.sample_id or report.id
        for one in kept:
            pixels = in_the_middle(one, report.provenance.um_per_px)
            rows, cols = pixels.shape[:2]
            reference = report.provenance.size_reference
            enlarged = 1.0 if reference is None else reference.enlarged
            window = namer.cut_out(pixels, (rows / 2, cols / 2), UM_PER_PX * enlarged)
            if not one.by_person:
                unnamed.windows.append(window)
                unnamed.specimens.append(specimen)
            elif one.name in known:
                named.add(window, one.name, specimen)
    if not named.labels:
        raise AdaptingError(
            Sentence(
                "expected pictured cells that people named or confirmed in {source} reports, found none in {found} "
                "such of {all}",
                source=source.value,
                found=len(of_source),
                all=len(reports),
            ),
            "set cells.pictures, count and review, or say another --source",
        )
    return named, unnamed


def unnamed_in_fields(paths: Iterable[Path], um_per_px: float, finder: Segmenter, namer: Classifier) -> UnnamedCells:
    """Up to `ENOUGH_UNNAMED` whole white cells of field pictures.

    Raises:
        PictureError: a picture cannot be read.
    """
    windows: list[Window] = []
    for path in paths:
        micrograph = Calibration.of_scale(um_per_px).correct(Frame(read_picture(path), 1, datetime.now(UTC), "file"))
        windows += [
            namer.cut_out(micrograph.pixels, cell.box.centre, um_per_px)
            for cell in finder.find_cells(micrograph)
            if cell.kind is CellKind.WBC and not cell.touches_border
        ]
        if len(windows) >= ENOUGH_UNNAMED:
            break
    windows = windows[:ENOUGH_UNNAMED]
    return UnnamedCells(windows, [""] * len(windows))


def pictures_below(folder: Path) -> list[Path]:
    """Every picture in a folder and the folders in it.

    Raises:
        AdaptingError: there is none.
    """
    # os.walk follows links to folders, which is how people put sets together; Path.rglob does not.
    found = sorted(
        Path(place, file)
        for place, _, files in os.walk(folder, followlinks=True)
        for file in files
        if Path(file).suffix.lower() in SUFFIXES
    )
    if not found:
        raise AdaptingError(
            f"expected pictures in {folder}, found {'none' if folder.is_dir() else 'no folder'} there",
            "give a folder of cropped cells, or of one folder per class",
        )
    return found
