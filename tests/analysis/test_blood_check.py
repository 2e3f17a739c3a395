"""Nothing passes for blood that was not found to be cells, or whose cells have colours that no stain gives."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from evaluation import no_smears
from leukoscope.analysis.blood_check import likeness, not_blood
from leukoscope.analysis.classifier import Classifier
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.cameras.simulated import SimulatedCameraSettings
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.instrument import Instrument
from leukoscope.optics.calibration import Calibration
from leukoscope.optics.quality import QualityGate, QualityLimits
from leukoscope.simulation.smear import SmearSettings
from leukoscope.specimen.cell import CellInstance, CellKind
from leukoscope.specimen.field import CountedField, Flaw, RejectedField
from leukoscope.specimen.frame import Pixels
from leukoscope.system.assets import find_asset
from tests.drawings import GOOD, cell, frame_of, micrograph_of

UM_PER_PX = 0.127


def instrument(**limits: bool) -> Instrument:
    finder, namer = (Bundle.read(find_asset("models", name)) for name in ("segmenter", "classifier"))
    return Instrument(
        Calibration.of_scale(UM_PER_PX),
        QualityGate(QualityLimits(**limits)),
        Segmenter(finder, OnnxSettings(threads=1).open(finder)),
        Classifier(namer, OnnxSettings(threads=1).open(namer)),
    )


@pytest.fixture(scope="module")
def bench() -> Instrument:
    return instrument()


@pytest.fixture(scope="module")
def fields() -> list[Pixels]:
    cameras = (
        SimulatedCameraSettings(smear=SmearSettings(seed=seed, white_per_1000_rbc=80)).open() for seed in (1, 2, 3)
    )
    return [camera.capture().pixels for camera in cameras]


def flaws(bench: Instrument, pixels: Pixels) -> tuple[Flaw, ...]:
    return bench.look(frame_of(pixels)).field.quality.flaws


def exchanged(pixels: Pixels) -> Pixels:
    return np.ascontiguousarray(pixels[..., ::-1])


def test_smears_are_counted(bench: Instrument, fields: list[Pixels]) -> None:
    assert [flaws(bench, pixels) for pixels in fields] == [()] * len(fields)


def test_red_and_blue_exchanged_show_in_the_nuclei_of_white_cells(bench: Instrument, fields: list[Pixels]) -> None:
    for pixels in fields:
        assert flaws(bench, exchanged(pixels)) == (Flaw.FOREIGN_COLOURS,)


@pytest.mark.parametrize("kind", no_smears.KINDS)
def test_what_is_no_smear_is_not_counted(bench: Instrument, kind: str) -> None:
    drawn = [no_smears.KINDS[kind](number) for number in range(4)]
    assert all(flaws(bench, pixels) for pixels in drawn)


@pytest.mark.parametrize("kind", ["page", "leaves"])
def test_a_page_and_leaves_have_a_reason_of_their_own(bench: Instrument, kind: str) -> None:
    refused = [flaws(bench, no_smears.KINDS[kind](number)) for number in range(6)]
    assert (Flaw.NO_BLOOD,) in refused
    assert all(found[0] in (Flaw.NO_BLOOD, Flaw.FOREIGN_COLOURS) for found in refused)


def test_a_refused_field_shows_its_cells_to_those_who_ask_alone(bench: Instrument, fields: list[Pixels]) -> None:
    frame = frame_of(exchanged(fields[0]))
    seen, asked = bench.look(frame).field, bench.look(frame, examine_refused=True).field
    assert isinstance(seen, RejectedField) and not seen.cells
    assert isinstance(asked, RejectedField) and asked.cells


def test_a_camera_without_colours_counts_all_the_same(fields: list[Pixels]) -> None:
    colourless = instrument(stained=False)
    assert isinstance(colourless.look(frame_of(exchanged(fields[0]))).field, CountedField)


def found(kind: CellKind, row: int, col: int, *, nucleus: bool = False) -> CellInstance:
    one = cell(kind, row=row, col=col, side=40).instance
    return replace(one, nucleus=one.outline if nucleus else None, confidence=0.8)


def drawn(colours: dict[CellKind, tuple[int, int, int]]) -> tuple[Pixels, list[CellInstance]]:
    """Square cells, ten red ones and three of each other kind, on white; shape (400, 600, 3)."""
    pixels, cells = np.full((400, 600, 3), 240, np.uint8), []
    for line, (kind, colour) in enumerate(colours.items()):
        for place in range(10 if kind is CellKind.RBC else 3):
            row, col = 20 + 60 * line, 10 + 55 * place
            pixels[row : row + 40, col : col + 40] = colour
            cells.append(found(kind, row, col, nucleus=kind is CellKind.WBC))
    return pixels, cells


def judged(colours: dict[CellKind, tuple[int, int, int]], of: Callable[[Pixels], Pixels] = lambda seen: seen) -> object:
    pixels, cells = drawn(colours)
    stained = float((pixels[..., 1] < 210).mean())
    quality = replace(GOOD, coverage=stained)
    return not_blood(micrograph_of(of(pixels), 0.2), quality, cells, stained=True)


RED, BLUISH_RED, VIOLET = (200, 150, 165), (120, 140, 190), (110, 60, 150)


@pytest.mark.parametrize("red", [RED, BLUISH_RED])
def test_nuclei_are_judged_whatever_colour_red_cells_have(red: tuple[int, int, int]) -> None:
    colours = {CellKind.RBC: red, CellKind.WBC: VIOLET}
    assert judged(colours) is None
    assert judged(colours, exchanged) is Flaw.FOREIGN_COLOURS


def test_platelets_stand_in_where_no_white_cell_is_seen() -> None:
    colours = {CellKind.RBC: RED, CellKind.PLATELET: VIOLET}
    assert judged(colours) is None
    assert judged(colours, exchanged) is Flaw.FOREIGN_COLOURS


def test_red_cells_alone_may_have_either_colour() -> None:
    assert judged({CellKind.RBC: RED}) is None
    assert judged({CellKind.RBC: RED}, exchanged) is None


def test_red_cells_are_never_as_dark_as_a_picture_that_was_decoded_twice_shows_them() -> None:
    colours = {CellKind.RBC: (170, 110, 130)}
    assert judged(colours) is None

    def decoded_twice(pixels: Pixels) -> Pixels:
        return np.rint(255 * (pixels / 255) ** 2.2).astype(np.uint8)

    assert judged(colours, decoded_twice) is Flaw.FOREIGN_COLOURS


def test_red_cells_may_be_as_dark_as_a_strong_stain_makes_them() -> None:
    """Half of the fields of one validation set have red cells of a density of .3, and the densest of .36."""
    times = 1.8
    colour = tuple(round(241 * 10 ** (-times * density) - 1) for density in (0.21, 0.3, 0.25))
    assert judged({CellKind.RBC: (colour[0], colour[1], colour[2])}) is None


def test_likeness_is_what_cells_explain_times_how_sure_they_are() -> None:
    cells = [replace(found(CellKind.RBC, 0, 0), area_um2=40.0, confidence=score) for score in (0.9, 0.6, 0.5)]
    assert likeness(240.0, cells) == pytest.approx(0.5 * 0.6)
    assert likeness(0.0, []) == 0.0
