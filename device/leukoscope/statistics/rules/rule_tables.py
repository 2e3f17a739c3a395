"""The tables of a rules file: one for each kind of finding."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from leukoscope.schema import FrozenModel
from leukoscope.specimen.sample import Certainty

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Ratio = Annotated[float, Field(ge=0.0)]
Keys = Annotated[tuple[str, ...], Field(min_length=1)]
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]

RESERVED_CODES = frozenset(
    {
        "anisocytosis",
        "blast_suspects",
        "erythroblasts_seen",
        "flawed_pictures",
        "irregular_red_cells",
        "maturation",
        "maturation_left_shift",
        "me_ratio",
        "me_ratio_high",
        "me_ratio_low",
        "not_covered",
        "not_judged",
        "platelets_high",
        "platelets_low",
        "red_cell_size",
        "relabelled_unnamed",
        "repeats_possible",
        "replayed",
        "simulated",
        "suspects",
        "too_few_cells",
        "too_many_unnamed",
        "too_many_unsure",
        "uncalibrated",
        "worst_case",
    }
)
"""Codes of findings that no [[share]] table makes."""


class CountLimits(FrozenModel):
    """When the count itself is too thin."""

    min_white_cells: Annotated[int, Field(ge=1)]
    """A differential on fewer named white cells is called too small (CLSI H20 asks 200 to 400)."""
    max_unsure_share: Share
    """Share of unsure cells among unsure and named white cells above which a person has to look."""
    unnamed: tuple[str, ...] = ("smudge",)
    """Class and group keys of cells that are not named either, because nothing can be said of them."""
    max_unnamed_share: Share = 0.3
    """Share of these cells, among them and the named white cells together, above which the report says so."""


class ShareRule(FrozenModel):
    """One finding about a share of the white cells; exactly one of `seen`, `at_least`, `above` and `below` is given."""

    code: Code
    """What the finding is called in the report."""
    words: Annotated[str, Field(min_length=1, max_length=60)]
    """What is counted, in the plural, as "eosinophils"."""
    of: Keys
    """Class and group keys of the classifier's bundle whose cells are added."""
    seen: bool = False
    """Reported when a single cell was named so."""
    at_least: Share | None = None
    """Reported when the share reaches this."""
    above: Share | None = None
    """Reported when the share is above this, the upper end of the reference range."""
    below: Share | None = None
    """Reported when the share is below this, the lower end of the reference range."""
    min_cells: Annotated[int, Field(ge=1)] = 3
    """Cells of the class that must have been seen before a share above a range is called likely."""
    false_share: Share = 0.0
    """Share of other cells that a classifier calls so by mistake in a laboratory it has not seen. It is added to the
    limit `above` on a bench that is not verified."""
    tell_from: Certainty = Certainty.LIKELY
    """The least certainty with which the report states the finding."""

    @property
    def of_limits(self) -> bool:
        """A class that counts from the first cell on, or by limits that are reached: blasts."""
        return self.seen or self.at_least is not None

    @model_validator(mode="after")
    def _one_question(self) -> Self:
        asked = [self.seen, *(limit is not None for limit in (self.at_least, self.above, self.below))]
        if sum(asked) != 1:
            raise ValueError(f"expected exactly one of seen, at_least, above and below, found {sum(asked)}")
        return self


class ErythroblastRule(FrozenModel):
    """Nucleated red cells beside the white ones, reported as `erythroblasts_seen`."""

    of: Keys
    """Class keys."""
    above: Ratio = 0.02
    """Per white cell; above it they are called likely."""
    min_cells: Annotated[int, Field(ge=1)] = 3
    """That must have been seen for it."""
    tell_from: Certainty = Certainty.CANNOT_BE_EXCLUDED


class RedCellRule(FrozenModel):
    """Reported as `anisocytosis` and `irregular_red_cells`."""

    max_diameter_cv: Ratio
    """Standard deviation over mean of the diameters above which sizes are called uneven."""
    max_irregular_share: Share
    """Share of outlines that are not round above which the report says so."""
    tell_from: Certainty = Certainty.LIKELY


class RedCellSizeRule(FrozenModel):
    """Reported as `red_cell_size`: a cross-check of the scale; nothing else in a sample can check it."""

    expected_um: Annotated[float, Field(ge=2.0, le=20.0)]
    """Mean diameter of the red cells on a smear of this kind, micrometres."""
    max_off: Annotated[float, Field(gt=0.0, le=1.0)] = 0.08
    """How far the mean may lie from it, as a share of it."""
    min_cells: Annotated[int, Field(ge=1)] = 100
    """Whole red cells below which nothing is said."""


class PlateletRule(FrozenModel):
    """Reported as `platelets_low` and `platelets_high`."""

    min_per_red_cell: Ratio
    """Platelets per red cell below which the report says so."""
    max_per_red_cell: Ratio
    """Platelets per red cell above which the report says so."""
    clumps: tuple[str, ...] = ()
    """Classes that are clumps: where one is seen, single platelets are too few to judge by."""
    tell_from: Certainty = Certainty.LIKELY

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_per_red_cell >= self.max_per_red_cell:
            raise ValueError("expected min_per_red_cell below max_per_red_cell")
        return self


class MyeloidErythroidRule(FrozenModel):
    """Reported as `me_ratio`, `me_ratio_low` or `me_ratio_high`; marrow only."""

    myeloid: Keys
    """Class and group keys above the line."""
    erythroid: Keys
    """Class and group keys below the line."""
    min_ratio: Ratio
    """Lower end of the reference range."""
    max_ratio: Ratio
    """Upper end of the reference range."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_ratio >= self.max_ratio:
            raise ValueError("expected min_ratio below max_ratio")
        return self


class MaturationRule(FrozenModel):
    """How far a line of marrow cells has matured: `maturation` and `maturation_left_shift`; marrow only."""

    words: Annotated[str, Field(min_length=1, max_length=60)]
    """What the line is called, as "granulocytes"."""
    stages: Annotated[tuple[Keys, ...], Field(min_length=2)]
    """Class keys of each stage, from the youngest to the oldest."""
    early: Annotated[int, Field(ge=1)]
    """How many of them are the early ones."""
    max_early_share: Share
    """Share of the early stages above which maturation is shifted to the left."""
    min_cells: Annotated[int, Field(ge=1)] = 50
    """Cells of the line below which nothing is said."""

    @model_validator(mode="after")
    def _some_are_late(self) -> Self:
        if self.early >= len(self.stages):
            raise ValueError("expected fewer early stages than stages")
        return self
