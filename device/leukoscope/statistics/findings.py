"""Remarks a reader of the counts should not miss, as the site's rules ask; they never name a disease."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from leukoscope.specimen.cell import UNSURE
from leukoscope.specimen.sample import CELLS_CALLED, Certainty, Finding, Provenance, Source
from leukoscope.statistics.blast_findings import NO_SUSPECTS, Suspects, of_limits
from leukoscope.statistics.certainty import (
    at_most,
    certainty_above,
    certainty_below,
    error_of,
    finding_of,
    in_percent,
    is_told,
    percent,
)
from leukoscope.statistics.estimates import Estimate, Estimator
from leukoscope.statistics.rules import (
    ErythroblastRule,
    MaturationRule,
    MyeloidErythroidRule,
    PlateletRule,
    RedCellRule,
    RedCellSizeRule,
    Rules,
    ShareRule,
)


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
    """Parts of the slide that may show the same cells, as far as is known; 1 for none."""
    suspects: Suspects = NO_SUSPECTS
    """Cells that may be of a class though they have another name or none."""
    withdrawn: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Cells by the classifier's name and a person's, where the person says that the cell cannot be named."""


def find_findings(counted: Counted, rules: Rules, provenance: Provenance | None) -> tuple[Finding, ...]:
    """What stands out in the counts, in the order in which a reader has to act on it.

    First what limits all that follows, then blasts and what may be some, then other cells, then the slide.
    """
    return (
        *_of_the_count(counted, rules),
        *_of_white_cells(counted, rules),
        *_of_red_cells(counted, rules.red_cells),
        *_of_platelets(counted, rules.platelets),
        *_of_the_slide(counted.patches),
        *_of_the_scale(counted, rules.red_cell_size),
        *_of_the_rules(counted.white, rules),
        *(() if provenance is None else _of_origin(provenance)),
    )


def _held_back(counted: Counted, rules: Rules) -> bool:
    """Too few cells, or too many without a name, to say more of a share than that it cannot be excluded."""
    white = counted.white
    unsure = white.named.get(UNSURE, 0)
    few = white.white_cells < rules.counting.min_white_cells
    return few or (unsure > 0 and unsure / (unsure + white.white_cells) > rules.counting.max_unsure_share)


def _of_white_cells(counted: Counted, rules: Rules) -> Iterator[Finding]:
    white, held_back = counted.white, _held_back(counted, rules)
    yield from of_limits(white, rules, counted.suspects, Certainty.LIKELY if held_back else Certainty.CERTAIN)
    highest = Certainty.CANNOT_BE_EXCLUDED if held_back else Certainty.CERTAIN
    if white.white_cells:
        for rule in rules.share:
            if not rule.of_limits:
                yield from _beyond_range(white, rule, highest)
    if rules.erythroblasts is not None:
        yield from _erythroblasts(white, rules.erythroblasts, highest)
    if rules.myeloid_erythroid is not None:
        yield from _myeloid_erythroid(white, rules.myeloid_erythroid)
    for line in rules.maturation:
        yield from _maturation(white, line, highest)


def _beyond_range(white: Estimator, rule: ShareRule, highest: Certainty) -> Iterator[Finding]:
    """A share above or below its range."""
    keys = white.known(rule.of)
    above = rule.above is not None
    limit = rule.above if rule.above is not None else rule.below
    count, total = white.count(keys), white.count((*keys, *white.rest(keys)))
    if not keys or limit is None or (above and not count):
        return
    ask = certainty_above if above else certainty_below
    certainty, estimate = _of_range(white, keys, rule, ask)
    if certainty is None:
        return
    certainty = at_most(certainty, highest)
    if is_told(certainty, rule.tell_from):
        # The count comes first: a small display shows the beginning.
        told = f"{rule.words} {count} of {total}, {'above' if above else 'below'} {percent(limit)} %"
        numbers = {"count": count, "of": total, "limit": limit}
        yield finding_of(rule.code, told, certainty, estimate, in_percent(estimate), numbers)


def _of_range(
    white: Estimator, keys: Sequence[str], rule: ShareRule, ask: Callable[[Estimate, float], Certainty | None]
) -> tuple[Certainty | None, Estimate]:
    """How sure it is that a share lies beyond its range, and the estimate that says so.

    Likely when the whole interval of the counts does, and certain when that with the error of naming does, too.
    """
    limit = rule.above if rule.above is not None else rule.below or 0.0
    counted, best = white.counted_share(keys), white.share(keys)
    enough = rule.above is None or white.count(keys) >= rule.min_cells
    by_counts, by_best = ask(counted, limit), ask(best, limit)
    if rule.above is not None and not white.error_known:
        # Some of the cells may be others that the classifier mistakes.
        enough = enough and counted.low > limit + (1 - limit) * rule.false_share
    if enough and by_best is Certainty.CERTAIN and by_counts is Certainty.CERTAIN:
        return (Certainty.CERTAIN if white.error_known else Certainty.LIKELY), best
    if enough and white.error_known and by_best is Certainty.CERTAIN:
        return Certainty.LIKELY, best
    # What the counts alone leave open, or show, no record of the network can close.
    if by_best is not None:
        return Certainty.CANNOT_BE_EXCLUDED, best
    return (None if by_counts is None else Certainty.CANNOT_BE_EXCLUDED), counted


def _erythroblasts(white: Estimator, rule: ErythroblastRule, highest: Certainty) -> Iterator[Finding]:
    keys = white.known(rule.of)
    count = white.count(keys)
    if not count:
        return
    numbers: dict[str, float] = {"count": count, "of": white.white_cells}
    if not white.white_cells:
        yield Finding("erythroblasts_seen", f"erythroblasts {count} beside no white cells", numbers=numbers)
        return
    estimate = white.per_white_cell(keys)
    told = f"erythroblasts {count} beside {white.white_cells} white cells"
    per = (
        f"{100 * estimate.value:.1f} per 100 "
        f"({100 * estimate.low:.1f} to {100 * estimate.high:.1f}, {error_of(estimate)})"
    )
    certainty = Certainty.CANNOT_BE_EXCLUDED
    if count >= rule.min_cells and estimate.low > rule.above:
        certainty = at_most(Certainty.CERTAIN if white.error_known else Certainty.LIKELY, highest)
    if is_told(certainty, rule.tell_from):
        numbers = {**numbers, "limit": rule.above}
        yield finding_of("erythroblasts_seen", told, certainty, estimate, per, numbers)


def _maturation(white: Estimator, rule: MaturationRule, highest: Certainty) -> Iterator[Finding]:
    """The stages of one line of marrow cells, and whether the early ones prevail."""
    stages = [keys for stage in rule.stages if (keys := white.known(stage))]
    counts = [white.count(keys) for keys in stages]
    if len(stages) < len(rule.stages) or sum(counts) < rule.min_cells:
        return
    early = [key for stage in stages[: rule.early] for key in stage]
    late = [key for stage in stages[rule.early :] for key in stage]
    estimate = white.part(early, late)
    by_stage = ", ".join(
        f"{stage[0].replace('_', ' ')} {count}" for stage, count in zip(rule.stages, counts, strict=True)
    )
    told = f"{rule.words}: early stages {white.count(early)} of {sum(counts)}"
    numbers = {"count": white.count(early), "of": sum(counts), "limit": rule.max_early_share}
    shifted = estimate.low > rule.max_early_share
    words = f"{in_percent(estimate)}; {by_stage}"
    sure = at_most(Certainty.CERTAIN if white.error_known else Certainty.LIKELY, highest)
    if shifted:
        told = f"{told}, shifted to the left above {percent(rule.max_early_share)} %"
        yield finding_of("maturation_left_shift", told, sure, estimate, words, numbers)
    else:
        yield finding_of("maturation", told, sure, estimate, words, numbers)


def _myeloid_erythroid(white: Estimator, rule: MyeloidErythroidRule) -> Iterator[Finding]:
    myeloid, erythroid = white.known(rule.myeloid), white.known(rule.erythroid)
    if not (myeloid and erythroid and white.count(myeloid) and white.count(erythroid)):
        return
    estimate = white.ratio(myeloid, erythroid)
    numbers = {"myeloid": white.count(myeloid), "erythroid": white.count(erythroid)}
    cells = f"M:E {white.count(myeloid)} to {white.count(erythroid)} cells"
    ratio = f"{estimate.value:.1f} ({estimate.low:.1f} to {estimate.high:.1f}, {error_of(estimate)})"
    low, high = certainty_below(estimate, rule.min_ratio), certainty_above(estimate, rule.max_ratio)
    if is_told(low, Certainty.LIKELY):
        told, limit = f"{cells}, below {rule.min_ratio:g}", rule.min_ratio
        yield finding_of("me_ratio_low", told, low, estimate, ratio, {**numbers, "limit": limit})
    elif is_told(high, Certainty.LIKELY):
        told, limit = f"{cells}, above {rule.max_ratio:g}", rule.max_ratio
        yield finding_of("me_ratio_high", told, high, estimate, ratio, {**numbers, "limit": limit})
    else:
        certainty = Certainty.CERTAIN if low is None and high is None else Certainty.LIKELY
        told = f"{cells}, between {rule.min_ratio:g} and {rule.max_ratio:g}"
        yield finding_of("me_ratio", told, certainty, estimate, ratio, numbers)


def _of_red_cells(counted: Counted, rule: RedCellRule | None) -> Iterator[Finding]:
    if rule is None:
        return
    max_cv, max_irregular = rule.max_diameter_cv, rule.max_irregular_share
    for code, words, estimate, limit in (
        ("anisocytosis", "red cells of uneven size, diameters varying by more than", counted.diameter_cv, max_cv),
        ("irregular_red_cells", "red cells that are not round, more than", counted.irregular, max_irregular),
    ):
        certainty = None if estimate is None else certainty_above(estimate, limit)
        if estimate is not None and is_told(certainty, rule.tell_from):
            told = f"{words} {percent(limit)} %"
            yield finding_of(code, told, certainty, estimate, in_percent(estimate), {"limit": limit})


def _of_platelets(counted: Counted, rule: PlateletRule | None) -> Iterator[Finding]:
    estimate = counted.platelets_per_red_cell
    if rule is None or estimate is None:
        return
    clumps = counted.white.count(counted.white.known(rule.clumps))
    per = f"{1000 * estimate.value:.0f} per 1000 ({1000 * estimate.low:.0f} to {1000 * estimate.high:.0f})"
    numbers = {"count": counted.platelets, "clumps": clumps}
    low = certainty_below(estimate, rule.min_per_red_cell)
    if is_told(low, rule.tell_from):
        told = f"platelets below {1000 * rule.min_per_red_cell:.0f} per 1000 red cells"
        if clumps:
            low, per = Certainty.CANNOT_BE_EXCLUDED, f"{per}, but {clumps} clumps were seen, which hold more of them"
        numbers_low = {**numbers, "limit": rule.min_per_red_cell}
        yield finding_of("platelets_low", told, low, estimate, per, numbers_low)
    high = certainty_above(estimate, rule.max_per_red_cell)
    if is_told(high, rule.tell_from):
        told = f"platelets above {1000 * rule.max_per_red_cell:.0f} per 1000 red cells"
        numbers_high = {**numbers, "limit": rule.max_per_red_cell}
        yield finding_of("platelets_high", told, high, estimate, per, numbers_high)


def _of_the_count(counted: Counted, rules: Rules) -> Iterator[Finding]:
    white, limits, called = counted.white, rules.counting, CELLS_CALLED[rules.mode]
    cells, unsure = white.white_cells, white.named.get(UNSURE, 0)
    if cells < limits.min_white_cells:
        yield Finding(
            "too_few_cells",
            f"only {cells} {called} were counted, {limits.min_white_cells} are asked for: the intervals are wide, "
            "and shares are held back",
            numbers={"count": cells, "limit": limits.min_white_cells},
        )
    if unsure and unsure / (unsure + cells) > limits.max_unsure_share:
        yield Finding(
            "too_many_unsure",
            f"{unsure} of {unsure + cells} {called} could not be named: look at them; shares are held back",
            numbers={"count": unsure, "of": unsure + cells, "limit": limits.max_unsure_share},
        )
    unnamed = {key: count for key in limits.unnamed if (count := white.count(white.known([key])))}
    if unnamed and sum(unnamed.values()) / (cells + sum(unnamed.values())) > limits.max_unnamed_share:
        names = ", ".join(f"{key.replace('_', ' ')} {count}" for key, count in unnamed.items())
        yield Finding(
            "too_many_unnamed",
            f"{names} beside {cells} {called}: what they were cannot be told",
            numbers={"count": sum(unnamed.values()), "of": cells, "limit": limits.max_unnamed_share},
        )
    if counted.withdrawn:
        changes = ", ".join(
            f"{before} to {after} {count}".replace("_", " ")
            for (before, after), count in sorted(counted.withdrawn.items())
        )
        yield Finding(
            "relabelled_unnamed",
            f"a person took the name from cells: {changes}; the differential holds them no more",
            numbers={"count": sum(counted.withdrawn.values())},
        )


def _of_the_rules(white: Estimator, rules: Rules) -> Iterator[Finding]:
    if strange := sorted({key for key in rules.asked_for() if not white.known([key])}):
        names = ", ".join(strange)
        yield Finding("not_judged", f"rules {rules.id} ask for {names}, which this classifier cannot name")
    watched = set(white.known(rules.covered()))
    if left := [key for key in white.differential if key not in watched and white.count([key])]:
        names = ", ".join(f"{key.replace('_', ' ')} {white.count([key])}" for key in left)
        yield Finding("not_covered", f"no rule of {rules.id} judges {names}")


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
