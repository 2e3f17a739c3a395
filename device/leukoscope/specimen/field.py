"""One look at the slide: counted, or refused with its reasons."""

from dataclasses import dataclass
from enum import StrEnum

from leukoscope.specimen.cell import ClassifiedCell
from leukoscope.specimen.frame import Micrograph


class Flaw(StrEnum):
    """Why a field cannot be trusted."""

    OUT_OF_FOCUS = "out_of_focus"
    OVEREXPOSED = "overexposed"
    UNDEREXPOSED = "underexposed"
    EMPTY = "empty"
    CROWDED = "crowded"
    FOREIGN_COLOURS = "foreign_colours"
    """Colours that no stain gives: grey, or red and blue exchanged."""
    NO_BLOOD = "no_blood"
    """Little of what is stained was found to be cells: a page, leaves, gravel."""
    BLACK_SURROUND = "black_surround"
    """The field is a disc in a black surround, as an eyepiece shows it."""


@dataclass(frozen=True, slots=True)
class Quality:
    """What the quality gate measured, and what it objects to."""

    sharpness: float
    """How much of its edges one more blur would take, 0-1; see optics.quality."""
    saturated_share: float
    """Share of pixels at the sensor's upper end, 0-1."""
    brightness: float
    """Median grey level, 0-255."""
    coverage: float
    """Share of the picture that is not background, 0-1."""
    flaws: tuple[Flaw, ...]
    """Empty when the field is good."""


@dataclass(frozen=True, slots=True)
class CountedField:
    """A good field and its cells, border cells included."""

    micrograph: Micrograph
    quality: Quality
    cells: tuple[ClassifiedCell, ...]


@dataclass(frozen=True, slots=True)
class RejectedField:
    """A field the gate refused; a result like any other."""

    micrograph: Micrograph
    quality: Quality
    cells: tuple[ClassifiedCell, ...] = ()
    """What was found all the same, where the caller asked for it; it enters no count."""
