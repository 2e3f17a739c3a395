"""Every measured quantity of a report, once: whatever the format, these are the numbers it tells."""

from collections.abc import Iterator
from dataclasses import dataclass

from leukoscope.exporting.codes import (
    CELLS,
    FIELDS,
    MICROMETRE,
    PER_100_WHITE_CELLS,
    PER_1000_RED_CELLS,
    PERCENT,
    SQUARE_MILLIMETRE,
)
from leukoscope.specimen.sample import CELLS_CALLED, SampleReport
from leukoscope.statistics.estimates import Estimate, counted_ratio, counted_share, variation

COUNTING = "95 % interval of the counts"
CORRECTED = "95 % interval of counting and naming"
NO_RED_CELLS = "no red cells were measured"
_BESIDE_PER_100 = ("erythroblast", "smudge")
"""Cells beside the differential of blood that laboratories tell per 100 white cells."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """One measured quantity with what it rests on."""

    name: str
    """What is measured, as "share" or "mean_diameter"."""
    of: str
    """Of what: a class or group key of the classifier's bundle, "white_cells", "red_cells", "platelets", "fields"."""
    unit: str
    """UCUM."""
    value: float | None
    """None where it is not known; `absent` says why."""
    low: float | None = None
    """Lower end of the 95 % interval, in the same unit; None where there is no interval."""
    high: float | None = None
    interval: str = ""
    """Which error the interval holds; empty without one."""
    count: int | None = None
    """How many of these were counted; None where nothing was."""
    n: int | None = None
    """Of how many."""
    validated_cells: int | None = None
    """Corrected shares: cells whose naming was checked."""
    absent: str = ""

    @property
    def key(self) -> str:
        """A name that is one of a kind within a report, as "share.blast"."""
        return f"{self.name}.{self.of}"


def quantities_of(report: SampleReport) -> tuple[Quantity, ...]:
    """What a report measured: white cells first, then red cells, platelets and fields."""
    return (*_white_cells(report), *_red_cells(report), *_platelets(report), *_fields(report))


def _white_cells(report: SampleReport) -> Iterator[Quantity]:
    white, mode = report.white_cells, report.rules.mode
    yield _counted("white_cells", white)
    for line in report.differential:
        low, high = _percent(line.low), _percent(line.high)
        yield Quantity(
            "share",
            line.cell_class,
            PERCENT,
            _percent(line.share) if white else None,
            low,
            high,
            COUNTING,
            count=line.count,
            n=white,
            absent="" if white else f"no {CELLS_CALLED[mode]} were counted",
        )
    if report.differential_corrected is not None:
        for name, lines in (
            ("share_corrected", report.differential_corrected.classes),
            ("group_share_corrected", report.differential_corrected.groups),
        ):
            for one in lines:
                ends = _percent(one.low), _percent(one.high)
                checked = one.validated_cells
                value = _percent(one.share)
                yield Quantity(name, one.name, PERCENT, value, *ends, CORRECTED, n=white, validated_cells=checked)
    for key, count in report.beside.items():
        yield _counted(key, count)
        if key in _BESIDE_PER_100 and white and mode == "blood":
            yield _estimated("per_100", key, PER_100_WHITE_CELLS, counted_ratio(count, white), 100, count, white)


def _red_cells(report: SampleReport) -> Iterator[Quantity]:
    red = report.red_cells
    measured = red.measured if red.diameters_um is None else red.diameters_um.total
    yield _counted("red_cells", red.count)
    # The mean has no interval: that of counting is a hundredth of what the scale may be wrong by.
    yield _or_absent(Quantity("mean_diameter", "red_cells", MICROMETRE, _short(red.mean_diameter_um), n=measured))
    spread, irregular = red.diameter_cv, red.irregular_share
    if spread is not None and measured is not None and measured > 1:
        yield _estimated("diameter_cv", "red_cells", PERCENT, variation(spread, measured), 100, None, measured)
    else:
        yield _or_absent(Quantity("diameter_cv", "red_cells", PERCENT, _percent(spread), n=measured))
    if irregular is not None and measured:
        count = round(irregular * measured)
        share = counted_share(count, measured)
        yield _estimated("irregular_share", "red_cells", PERCENT, share, 100, count, measured)
    else:
        yield _or_absent(Quantity("irregular_share", "red_cells", PERCENT, _percent(irregular), n=measured))
    if report.wbc_per_1000_rbc is None:
        yield _or_absent(Quantity("per_1000", "white_cells", PER_1000_RED_CELLS, None))
    else:
        # Those in the counting frame; the message tells them by this ratio alone.
        seen = round(report.wbc_per_1000_rbc * red.count / 1000)
        value = _short(report.wbc_per_1000_rbc)
        ends = _ends(counted_ratio(seen, red.count), 1000) if red.count else (None, None, "")
        yield Quantity("per_1000", "white_cells", PER_1000_RED_CELLS, value, *ends, count=seen, n=red.count)


def _platelets(report: SampleReport) -> Iterator[Quantity]:
    count, red = report.platelets, report.red_cells.count
    yield _counted("platelets", count)
    if red:
        yield _estimated("per_1000", "platelets", PER_1000_RED_CELLS, counted_ratio(count, red), 1000, count, red)
    else:
        yield _or_absent(Quantity("per_1000", "platelets", PER_1000_RED_CELLS, None))


def _fields(report: SampleReport) -> Iterator[Quantity]:
    seen = report.fields_counted + report.fields_rejected_total
    for name, count in (("counted", report.fields_counted), ("refused", report.fields_rejected_total)):
        yield Quantity(name, "fields", FIELDS, count, count=count, n=seen)
    yield Quantity("area", "fields", SQUARE_MILLIMETRE, _short(report.area_um2 / 1e6), n=report.fields_counted)


def _counted(of: str, count: int) -> Quantity:
    return Quantity("counted", of, CELLS, count, count=count)


def _estimated(
    name: str, of: str, unit: str, estimate: Estimate, factor: int, count: int | None, n: int | None
) -> Quantity:
    value = _short(factor * estimate.value)
    return Quantity(name, of, unit, value, *_ends(estimate, factor), count=count, n=n)


def _ends(estimate: Estimate, factor: int) -> tuple[float | None, float | None, str]:
    return _short(factor * estimate.low), _short(factor * estimate.high), COUNTING


def _or_absent(quantity: Quantity) -> Quantity:
    if quantity.value is not None:
        return quantity
    return Quantity(quantity.name, quantity.of, quantity.unit, None, n=quantity.n, absent=NO_RED_CELLS)


def _percent(share: float | None) -> float | None:
    return None if share is None else _short(100 * share)


def _short(number: float | None) -> float | None:
    """Six decimals: more than is known, and no 28.999999999999996."""
    return None if number is None else round(number, 6)
