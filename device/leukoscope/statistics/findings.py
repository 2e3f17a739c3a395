"""Remarks a reader of the counts should not miss, as the site's rules ask; they never name a disease."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeGuard

from leukoscope.specimen.cell import UNSURE
from leukoscope.specimen.sample import CELLS_CALLED, Basis, Certainty, Finding, Provenance, Source
from leukoscope.statistics.estimates import Estimate, Estimator
from leukoscope.statistics.rules import (
    MyeloidErythroidRule,
    PlateletRule,
    RedCellRule,
    RedCellSizeRule,
    Rules,
    ShareRule,
)

SEEN = 0.001
"""A share whose interval begins above this is called seen for certain: one cell in a thousand."""
_SURE_ENOUGH = (Certainty.CANNOT_BE_EXCLUDED, Certainty.LIKELY, Certainty.CERTAIN)
_IN_WORDS = {
    Certainty.CERTAIN: "certain",
    Certainty.LIKELY: "likely",
    Certainty.CANNOT_BE_EXCLUDED: "cannot be excluded",
}


@dataclass(frozen=True, slots=True)
class Counted:
    """What the findings are made from."""

    white: Estimator
    """Named white cells by class, and what can be said about shares of them."""
    diameter_cv: Estimate | None
    """Of the red cells; None below two of them."""
    irregular: Estimate | None
    """Share of red cells that are not round; None without red cells."""
    platelets_per_red_cell: Estimate | None
    """None without red cells."""
    platelets: int
    red_cell_um: float | None
    """Mean diameter of the red cells that were seen whole, micrometres; None without any."""
    red_cells_measured: int
    patches: int
    """Parts of the slide that may show the same cells, as far as anybody knows; 1 for none."""


def find_findings(counted: Counted, rules: Rules, provenance: Provenance) -> tuple[Finding, ...]:
    """What stands out in the counts: cells in the order of the rules, then what limits the trust in them."""
    return (
        *_of_white_cells(counted.white, rules),
        *_of_red_cells(counted, rules.red_cells),
        *_of_platelets(counted, rules.platelets),
        *_of_the_count(counted.white, rules),
        *_of_the_slide(counted.patches),
        *_of_the_scale(counted, rules.red_cell_size),
        *_of_origin(provenance),
    )


def certainty_above(estimate: Estimate, limit: float) -> Certainty | None:
    """How sure it is that something is above a limit; None when its whole interval lies at or below."""
    if estimate.low > limit:
        return Certainty.CERTAIN
    if estimate.value > limit:
        return Certainty.LIKELY
    return Certainty.CANNOT_BE_EXCLUDED if estimate.high > limit else None


def certainty_below(estimate: Estimate, limit: float) -> Certainty | None:
    """How sure it is that something is below a limit; None when its whole interval lies at or above."""
    if estimate.high < limit:
        return Certainty.CERTAIN
    if estimate.value < limit:
        return Certainty.LIKELY
    return Certainty.CANNOT_BE_EXCLUDED if estimate.low < limit else None


def certainty_of_reaching(estimate: Estimate, limit: float) -> Certainty | None:
    """How sure it is that something is at or above a limit; None when its whole interval lies below."""
    if estimate.low >= limit:
        return Certainty.CERTAIN
    if estimate.value >= limit:
        return Certainty.LIKELY
    return Certainty.CANNOT_BE_EXCLUDED if estimate.high >= limit else None


def _of_white_cells(white: Estimator, rules: Rules) -> Iterator[Finding]:
    if white.white_cells:
        for rule in rules.share:
            yield from _of_share(white, rule)
    if rules.erythroblasts is not None:
        yield from _erythroblasts(white, rules.erythroblasts.of)
    if rules.myeloid_erythroid is not None:
        yield from _myeloid_erythroid(white, rules.myeloid_erythroid)


def _of_share(white: Estimator, rule: ShareRule) -> Iterator[Finding]:
    keys = white.known(rule.of)
    if not keys or (rule.seen and not white.count(keys)):
        return
    asked, limit = _question(rule)
    estimate = white.share(keys)
    certainty = _answer(rule, estimate)
    if certainty is None:
        # What the counts alone leave open, or show, no record of the network can close.
        estimate = white.counted_share(keys)
        certainty = None if _answer(rule, estimate) is None else Certainty.CANNOT_BE_EXCLUDED
    if _told(certainty, rule.tell_from):
        count, total = white.count(keys), white.count((*keys, *white.rest(keys)))
        # The count comes first: a small display shows the beginning.
        told = f"{rule.words} {count} of {total}, {asked}"
        numbers = {"count": count, "of": total, "limit": limit}
        yield _finding(rule.code, told, certainty, estimate, _in_percent(estimate), numbers)


def _question(rule: ShareRule) -> tuple[str, float]:
    """What a rule asks, in words, and its limit."""
    if rule.at_least is not None:
        return f"at least {_percent(rule.at_least)} %", rule.at_least
    if rule.above is not None:
        return f"above {_percent(rule.above)} %", rule.above
    if rule.below is not None:
        return f"below {_percent(rule.below)} %", rule.below
    return "look at the cells", SEEN


def _answer(rule: ShareRule, estimate: Estimate) -> Certainty | None:
    if rule.at_least is not None:
        return certainty_of_reaching(estimate, rule.at_least)
    if rule.below is not None:
        return certainty_below(estimate, rule.below)
    return certainty_above(estimate, SEEN if rule.above is None else rule.above)


def _erythroblasts(white: Estimator, of: Collection[str]) -> Iterator[Finding]:
    keys = white.known(of)
    count = white.count(keys)
    if not count:
        return
    numbers = {"count": count, "of": white.white_cells}
    if not white.white_cells:
        yield Finding("erythroblasts_seen", f"erythroblasts {count} beside no white cells", numbers=numbers)
        return
    estimate = white.per_white_cell(keys)
    told = f"erythroblasts {count} beside {white.white_cells} white cells"
    per = (
        f"{100 * estimate.value:.1f} per 100 "
        f"({100 * estimate.low:.1f} to {100 * estimate.high:.1f}, {_error(estimate)})"
    )
    certainty = certainty_above(estimate, SEEN) or Certainty.CANNOT_BE_EXCLUDED
    yield _finding("erythroblasts_seen", told, certainty, estimate, per, numbers)


def _myeloid_erythroid(white: Estimator, rule: MyeloidErythroidRule) -> Iterator[Finding]:
    myeloid, erythroid = white.known(rule.myeloid), white.known(rule.erythroid)
    if not (myeloid and erythroid and white.count(myeloid) and white.count(erythroid)):
        return
    estimate = white.ratio(myeloid, erythroid)
    numbers = {"myeloid": white.count(myeloid), "erythroid": white.count(erythroid)}
    cells = f"M:E {white.count(myeloid)} to {white.count(erythroid)} cells"
    ratio = f"{estimate.value:.1f} ({estimate.low:.1f} to {estimate.high:.1f}, {_error(estimate)})"
    low, high = certainty_below(estimate, rule.min_ratio), certainty_above(estimate, rule.max_ratio)
    if _told(low, Certainty.LIKELY):
        told, limit = f"{cells}, below {rule.min_ratio:g}", rule.min_ratio
        yield _finding("me_ratio_low", told, low, estimate, ratio, {**numbers, "limit": limit})
    elif _told(high, Certainty.LIKELY):
        told, limit = f"{cells}, above {rule.max_ratio:g}", rule.max_ratio
        yield _finding("me_ratio_high", told, high, estimate, ratio, {**numbers, "limit": limit})
    else:
        certainty = Certainty.CERTAIN if low is None and high is None else Certainty.LIKELY
        told = f"{cells}, between {rule.min_ratio:g} and {rule.max_ratio:g}"
        yield _finding("me_ratio", told, certainty, estimate, ratio, numbers)


def _of_red_cells(counted: Counted, rule: RedCellRule | None) -> Iterator[Finding]:
    if rule is None:
        return
    max_cv, max_irregular = rule.max_diameter_cv, rule.max_irregular_share
    for code, words, estimate, limit in (
        ("anisocytosis", "red cells of uneven size, diameters varying by more than", counted.diameter_cv, max_cv),
        ("irregular_red_cells", "red cells that are not round, more than", counted.irregular, max_irregular),
    ):
        certainty = None if estimate is None else certainty_above(estimate, limit)
        if estimate is not None and _told(certainty, rule.tell_from):
            told = f"{words} {_percent(limit)} %"
            yield _finding(code, told, certainty, estimate, _in_percent(estimate), {"limit": limit})


def _of_platelets(counted: Counted, rule: PlateletRule | None) -> Iterator[Finding]:
    estimate = counted.platelets_per_red_cell
    if rule is None or estimate is None:
        return
    clumps = counted.white.count(counted.white.known(rule.clumps))
    per = f"{1000 * estimate.value:.0f} per 1000 ({1000 * estimate.low:.0f} to {1000 * estimate.high:.0f})"
    numbers = {"count": counted.platelets, "clumps": clumps}
    low = certainty_below(estimate, rule.min_per_red_cell)
    if _told(low, rule.tell_from):
        told = f"platelets below {1000 * rule.min_per_red_cell:.0f} per 1000 red cells"
        if clumps:
            low, per = Certainty.CANNOT_BE_EXCLUDED, f"{per}, but {clumps} clumps were seen, which hold more of them"
        numbers_low = {**numbers, "limit": rule.min_per_red_cell}
        yield _finding("platelets_low", told, low, estimate, per, numbers_low)
    high = certainty_above(estimate, rule.max_per_red_cell)
    if _told(high, rule.tell_from):
        told = f"platelets above {1000 * rule.max_per_red_cell:.0f} per 1000 red cells"
        numbers_high = {**numbers, "limit": rule.max_per_red_cell}
        yield _finding("platelets_high", told, high, estimate, per, numbers_high)


def _of_the_count(white: Estimator, rules: Rules) -> Iterator[Finding]:
    limits, cells, unsure = rules.counting, white.white_cells, white.named.get(UNSURE, 0)
    called = CELLS_CALLED[rules.mode]
    if cells < limits.min_white_cells:
        yield Finding(
            "too_few_cells",
            f"only {cells} {called} were counted, {limits.min_white_cells} are asked for: the intervals are wide",
            numbers={"count": cells, "limit": limits.min_white_cells},
        )
    if unsure and unsure / (unsure + cells) > limits.max_unsure_share:
        yield Finding(
            "too_many_unsure",
            f"{unsure} of {unsure + cells} {called} could not be named",
            numbers={"count": unsure, "of": unsure + cells, "limit": limits.max_unsure_share},
        )
    if strange := sorted({key for key in rules.asked_for() if not white.known([key])}):
        names = ", ".join(strange)
        yield Finding("not_judged", f"rules {rules.id} ask for {names}, which this classifier cannot name")


def _of_the_slide(patches: int) -> Iterator[Finding]:
    if patches > 1:
        yield Finding(
            "repeats_possible",
            f"the slide was lost from view {patches - 1} times: cells of its {patches} parts may be counted twice",
            numbers={"parts": patches},
        )


def _of_the_scale(counted: Counted, rule: RedCellSizeRule | None) -> Iterator[Finding]:
    mean_um, cells = counted.red_cell_um, counted.red_cells_measured
    if rule is None or mean_um is None or cells < rule.min_cells:
        return
    if abs(mean_um / rule.expected_um - 1) > rule.max_off:
        kind = "larger" if mean_um > rule.expected_um else "smaller"
        yield Finding(
            "red_cell_size",
            f"red cells measure {mean_um:.1f} µm, {rule.expected_um:.1f} expected: "
            f"check the scale, or the cells are {kind} than usual",
            numbers={"value": mean_um, "limit": rule.expected_um, "count": cells},
        )


def _of_origin(provenance: Provenance) -> Iterator[Finding]:
    if not provenance.calibration_measured:
        text = f"calibration {provenance.calibration_id} is nominal, not measured on this bench: sizes may be off"
        yield Finding("uncalibrated", text)
    if provenance.source is Source.SIMULATED:
        yield Finding("simulated", "made on a simulated microscope: no specimen was examined")
    elif provenance.source is Source.REPLAYED:
        yield Finding("replayed", "made from stored pictures, not from a slide under the microscope")


def _told(certainty: Certainty | None, tell_from: Certainty) -> TypeGuard[Certainty]:
    return certainty is not None and _SURE_ENOUGH.index(certainty) >= _SURE_ENOUGH.index(tell_from)


def _finding(
    code: str,
    told: str,
    certainty: Certainty,
    estimate: Estimate,
    interval: str,
    numbers: Mapping[str, float],
) -> Finding:
    text = f"{told} ({_IN_WORDS[certainty]}): {interval}"
    value = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    return Finding(code, text, certainty, estimate.basis, {**numbers, **value})


def _percent(share: float) -> str:
    return f"{100 * share:.3g}"


def _in_percent(estimate: Estimate) -> str:
    return f"{100 * estimate.value:.1f} % ({100 * estimate.low:.1f} to {100 * estimate.high:.1f} %, {_error(estimate)})"


def _error(estimate: Estimate) -> str:
    return "corrected" if estimate.basis is Basis.CORRECTED else "counts alone"
