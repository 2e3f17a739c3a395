"""Findings on the shares of white cells: out of their range, erythroblasts, maturation, myeloid to erythroid."""

from collections.abc import Callable, Iterator, Sequence

from leukoscope.sentence import Sentence
from leukoscope.specimen.sample import Certainty, Finding
from leukoscope.statistics.certainty import (
    at_most,
    certainty_above,
    certainty_below,
    error_of,
    finding_of,
    in_percent,
    is_reported,
    percent,
)
from leukoscope.statistics.estimates import Estimate, Estimator
from leukoscope.statistics.rules.rule_tables import ErythroblastRule, MaturationRule, MyeloidErythroidRule, ShareRule


def beyond_range(white: Estimator, rule: ShareRule, highest: Certainty) -> Iterator[Finding]:
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
    if is_reported(certainty, rule.tell_from):
        # The count comes first: a small display shows the beginning.
        statement = Sentence(
            f"{{cells}} {{count}} of {{of}}, {'above' if above else 'below'} {{limit}} %",
            cells=rule.words,
            count=count,
            of=total,
            limit=percent(limit),
        )
        numbers = {"count": count, "of": total, "limit": limit}
        yield finding_of(rule.code, statement, certainty, estimate, in_percent(estimate), numbers)


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
    if rule.above is not None and not white.error_known(keys):
        # Some of the cells may be others that the classifier mistakes.
        enough = enough and counted.low > limit + (1 - limit) * rule.false_share
    if enough and by_best is Certainty.CERTAIN and by_counts is Certainty.CERTAIN:
        return (Certainty.CERTAIN if white.error_known(keys) else Certainty.LIKELY), best
    if enough and white.error_known(keys) and by_best is Certainty.CERTAIN:
        return Certainty.LIKELY, best
    # What the counts alone leave open, or show, no record of the network can close.
    if by_best is not None:
        return Certainty.CANNOT_BE_EXCLUDED, best
    return (None if by_counts is None else Certainty.CANNOT_BE_EXCLUDED), counted


def erythroblasts(white: Estimator, rule: ErythroblastRule, highest: Certainty) -> Iterator[Finding]:
    """Nucleated red cells per 100 white cells above their limit, from the rule's least number of them."""
    keys = white.known(rule.of)
    count = white.count(keys)
    if not count:
        return
    numbers: dict[str, float] = {"count": count, "of": white.white_cells}
    if not white.white_cells:
        yield Finding(
            "erythroblasts_seen", Sentence("erythroblasts {count} beside no white cells", count=count), numbers=numbers
        )
        return
    estimate = white.per_white_cell(keys)
    statement = Sentence("erythroblasts {count} beside {of} white cells", count=count, of=white.white_cells)
    per = Sentence(
        "{value} per 100 ({low} to {high}, {error})",
        value=f"{100 * estimate.value:.1f}",
        low=f"{100 * estimate.low:.1f}",
        high=f"{100 * estimate.high:.1f}",
        error=error_of(estimate),
    )
    certainty = Certainty.CANNOT_BE_EXCLUDED
    if count >= rule.min_cells and estimate.low > rule.above:
        certainty = at_most(Certainty.CERTAIN if white.error_known(keys) else Certainty.LIKELY, highest)
    if is_reported(certainty, rule.tell_from):
        numbers = {**numbers, "limit": rule.above}
        yield finding_of("erythroblasts_seen", statement, certainty, estimate, per, numbers)


def maturation(white: Estimator, rule: MaturationRule, highest: Certainty) -> Iterator[Finding]:
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
    statement = Sentence(
        "{cells}: early stages {count} of {of}", cells=rule.words, count=white.count(early), of=sum(counts)
    )
    numbers = {"count": white.count(early), "of": sum(counts), "limit": rule.max_early_share}
    shifted = estimate.low > rule.max_early_share
    words = Sentence("{first}; {rest}", first=in_percent(estimate), rest=by_stage)
    sure = at_most(Certainty.CERTAIN if white.error_known(early) else Certainty.LIKELY, highest)
    if shifted:
        limit = percent(rule.max_early_share)
        statement = statement.and_also(", shifted to the left above {limit} %", limit=limit)
        yield finding_of("maturation_left_shift", statement, sure, estimate, words, numbers)
    else:
        yield finding_of("maturation", statement, sure, estimate, words, numbers)


def myeloid_erythroid(white: Estimator, rule: MyeloidErythroidRule) -> Iterator[Finding]:
    """The ratio of myeloid to erythroid cells, in marrow, outside its range."""
    myeloid, erythroid = white.known(rule.myeloid), white.known(rule.erythroid)
    if not (myeloid and erythroid and white.count(myeloid) and white.count(erythroid)):
        return
    estimate = white.ratio(myeloid, erythroid)
    numbers = {"myeloid": white.count(myeloid), "erythroid": white.count(erythroid)}
    cells = Sentence("M:E {myeloid} to {erythroid} cells", **numbers)
    ratio = Sentence(
        "{value} ({low} to {high}, {error})",
        value=f"{estimate.value:.1f}",
        low=f"{estimate.low:.1f}",
        high=f"{estimate.high:.1f}",
        error=error_of(estimate),
    )
    low, high = certainty_below(estimate, rule.min_ratio), certainty_above(estimate, rule.max_ratio)
    if is_reported(low, Certainty.LIKELY):
        statement, limit = cells.and_also(", below {limit}", limit=f"{rule.min_ratio:g}"), rule.min_ratio
        yield finding_of("me_ratio_low", statement, low, estimate, ratio, {**numbers, "limit": limit})
    elif is_reported(high, Certainty.LIKELY):
        statement, limit = cells.and_also(", above {limit}", limit=f"{rule.max_ratio:g}"), rule.max_ratio
        yield finding_of("me_ratio_high", statement, high, estimate, ratio, {**numbers, "limit": limit})
    else:
        certainty = Certainty.CERTAIN if low is None and high is None else Certainty.LIKELY
        statement = cells.and_also(", between {low} and {high}", low=f"{rule.min_ratio:g}", high=f"{rule.max_ratio:g}")
        yield finding_of("me_ratio", statement, certainty, estimate, ratio, numbers)
