"""Remarks a reader of the counts should not miss, as the site's rules ask; they never name a disease."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from leukoscope.sentence import Sentence
from leukoscope.specimen.cell import UNSURE
from leukoscope.specimen.sample import CELLS_CALLED, Certainty, Finding, Provenance, Source
from leukoscope.statistics.blast_findings import NO_SUSPECTS, Suspects, of_limits
from leukoscope.statistics.certainty import (
    certainty_above,
    certainty_below,
    finding_of,
    in_percent,
    is_reported,
    percent,
)
from leukoscope.statistics.estimates import Estimate, Estimator
from leukoscope.statistics.rules import Rules
from leukoscope.statistics.rules.rule_tables import PlateletRule, RedCellRule, RedCellSizeRule
from leukoscope.statistics.white_cell_findings import beyond_range, erythroblasts, maturation, myeloid_erythroid


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
                yield from beyond_range(white, rule, highest)
    if rules.erythroblasts is not None:
        yield from erythroblasts(white, rules.erythroblasts, highest)
    if rules.myeloid_erythroid is not None:
        yield from myeloid_erythroid(white, rules.myeloid_erythroid)
    for line in rules.maturation:
        yield from maturation(white, line, highest)


def _of_red_cells(counted: Counted, rule: RedCellRule | None) -> Iterator[Finding]:
    if rule is None:
        return
    max_cv, max_irregular = rule.max_diameter_cv, rule.max_irregular_share
    for code, words, estimate, limit in (
        ("anisocytosis", "red cells of uneven size, diameters varying by more than", counted.diameter_cv, max_cv),
        ("irregular_red_cells", "red cells that are not round, more than", counted.irregular, max_irregular),
    ):
        certainty = None if estimate is None else certainty_above(estimate, limit)
        if estimate is not None and is_reported(certainty, rule.tell_from):
            statement = Sentence(f"{words} {{limit}} %", limit=percent(limit))
            yield finding_of(code, statement, certainty, estimate, in_percent(estimate), {"limit": limit})


def _of_platelets(counted: Counted, rule: PlateletRule | None) -> Iterator[Finding]:
    estimate = counted.platelets_per_red_cell
    if rule is None or estimate is None:
        return
    clumps = counted.white.count(counted.white.known(rule.clumps))
    per = Sentence(
        "{value} per 1000 ({low} to {high})",
        value=f"{1000 * estimate.value:.0f}",
        low=f"{1000 * estimate.low:.0f}",
        high=f"{1000 * estimate.high:.0f}",
    )
    numbers = {"count": counted.platelets, "clumps": clumps}
    low = certainty_below(estimate, rule.min_per_red_cell)
    if is_reported(low, rule.tell_from):
        limit = f"{1000 * rule.min_per_red_cell:.0f}"
        statement = Sentence("platelets below {limit} per 1000 red cells", limit=limit)
        if clumps:
            low, per = (
                Certainty.CANNOT_BE_EXCLUDED,
                Sentence("{value}, but {clumps} clumps were seen, which hold more of them", value=per, clumps=clumps),
            )
        numbers_low = {**numbers, "limit": rule.min_per_red_cell}
        yield finding_of("platelets_low", statement, low, estimate, per, numbers_low)
    high = certainty_above(estimate, rule.max_per_red_cell)
    if is_reported(high, rule.tell_from):
        limit = f"{1000 * rule.max_per_red_cell:.0f}"
        statement = Sentence("platelets above {limit} per 1000 red cells", limit=limit)
        numbers_high = {**numbers, "limit": rule.max_per_red_cell}
        yield finding_of("platelets_high", statement, high, estimate, per, numbers_high)


def _of_the_count(counted: Counted, rules: Rules) -> Iterator[Finding]:
    white, limits, called = counted.white, rules.counting, CELLS_CALLED[rules.mode]
    cells, unsure = white.white_cells, white.named.get(UNSURE, 0)
    if cells < limits.min_white_cells:
        yield Finding(
            "too_few_cells",
            Sentence(
                f"only {{count}} {called} were counted, {{limit}} are asked for: the intervals are wide, "
                "and shares are held back",
                count=cells,
                limit=limits.min_white_cells,
            ),
            numbers={"count": cells, "limit": limits.min_white_cells},
        )
    if unsure and unsure / (unsure + cells) > limits.max_unsure_share:
        yield Finding(
            "too_many_unsure",
            Sentence(
                f"{{unsure}} of {{count}} {called} could not be named: look at them; shares are held back",
                unsure=unsure,
                count=unsure + cells,
            ),
            numbers={"count": unsure, "of": unsure + cells, "limit": limits.max_unsure_share},
        )
    unnamed = {key: count for key in limits.unnamed if (count := white.count(white.known([key])))}
    of_unnamed = sum(unnamed.values())
    if of_unnamed and of_unnamed / (cells + of_unnamed) > limits.max_unnamed_share:
        names = ", ".join(f"{key.replace('_', ' ')} {count}" for key, count in unnamed.items())
        yield Finding(
            "too_many_unnamed",
            Sentence(f"{{names}} beside {{cells}} {called}: what they were is not known", names=names, cells=cells),
            numbers={"count": of_unnamed, "of": cells + of_unnamed, "limit": limits.max_unnamed_share},
        )
    if counted.withdrawn:
        changes = ", ".join(
            f"{before} to {after} {count}".replace("_", " ")
            for (before, after), count in sorted(counted.withdrawn.items())
        )
        yield Finding(
            "relabelled_unnamed",
            Sentence(
                "a person took the name from cells: {changes}; the differential holds them no more", changes=changes
            ),
            numbers={"count": sum(counted.withdrawn.values())},
        )


def _of_the_rules(white: Estimator, rules: Rules) -> Iterator[Finding]:
    if unknown := sorted({key for key in rules.asked_for() if not white.known([key])}):
        names = ", ".join(unknown)
        yield Finding(
            "not_judged",
            Sentence(
                "rules {rules} ask for {classes}, which this classifier cannot name", rules=rules.id, classes=names
            ),
        )
    watched = set(white.known(rules.covered()))
    if left := [key for key in white.differential if key not in watched and white.count([key])]:
        names = ", ".join(f"{key.replace('_', ' ')} {white.count([key])}" for key in left)
        yield Finding("not_covered", Sentence("no rule of {rules} judges {names}", rules=rules.id, names=names))


def _of_the_slide(patches: int) -> Iterator[Finding]:
    if patches > 1:
        yield Finding(
            "repeats_possible",
            Sentence(
                "the slide was lost from view {times} times: cells of its {parts} parts may be counted twice",
                times=patches - 1,
                parts=patches,
            ),
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
            Sentence(
                "red cells measure {size} µm, {usual} expected: "
                f"check the scale, or the cells are {kind} than usual",
                size=f"{mean_um:.1f}",
                usual=f"{rule.expected_um:.1f}",
            ),
            numbers={"value": mean_um, "limit": rule.expected_um, "count": cells},
        )


def _of_origin(provenance: Provenance) -> Iterator[Finding]:
    if not provenance.calibration_measured:
        text = Sentence(
            "calibration {calibration} is nominal, not measured on this bench: sizes may be off",
            calibration=provenance.calibration_id,
        )
        yield Finding("uncalibrated", text)
    if provenance.source is Source.SIMULATED:
        yield Finding("simulated", "made on a simulated microscope: no specimen was examined")
    elif provenance.source is Source.REPLAYED:
        yield Finding("replayed", "made from stored pictures, not from a slide under the microscope")
