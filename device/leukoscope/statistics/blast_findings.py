"""Findings on classes that count from the first cell on: the highest limit reached, suspects, and the worst case."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from leukoscope.sentence import Sentence
from leukoscope.specimen.cell import UNSURE
from leukoscope.specimen.sample import Basis, Certainty, Finding
from leukoscope.statistics.certainty import (
    at_most,
    certainty_of_reaching,
    finding_of,
    in_percent,
    is_reported,
    percent,
)
from leukoscope.statistics.estimates import Estimator, counted_share
from leukoscope.statistics.false_alarms import FalseShare, together
from leukoscope.statistics.rules import Rules
from leukoscope.statistics.rules.rule_tables import ShareRule

BY_CHANCE = 0.01
"""Probability of so many such cells in normal blood below which they are called likely."""
SUSPECTS_BY_CHANCE = 0.05
"""The same for suspects. Of 200 cells 15 are likely then: as many as 30 % malignant ones give of which a quarter is
suspect. With 4.6 % false suspects, which the bundle expects of a laboratory not seen, that is so in 4 % of samples."""
SUSPECTS_BY_CHANCE_KNOWN = 0.02
"""The same on a bench whose own normal cells say what is usual: the share is no longer the most that is expected."""
FALSELY_NAMED = FalseShare(0.01)
"""Share of normal white cells that a classifier calls a blast in a laboratory it has not seen."""
FALSELY_SUSPECTED = FalseShare(0.04)
"""The same for those it names or suspects, where the classifier's bundle does not say."""


@dataclass(frozen=True, slots=True)
class Suspects:
    """Cells that may be of a class though they have another name or none."""

    cells: Mapping[str, int] = field(default_factory=dict)
    """By that class."""
    false_share: Mapping[str, FalseShare] = field(default_factory=dict)
    """Share of normal white cells that are named or suspected so by mistake, by class."""
    falsely_named: Mapping[str, FalseShare] = field(default_factory=dict)
    """Share of normal white cells that are named so by mistake, by class."""

    def pointed_at(self, keys: Sequence[str]) -> FalseShare:
        """Share of normal white cells that are named or suspected to be one of these classes."""
        return together(self.false_share.get(key, FALSELY_SUSPECTED) for key in keys)

    def named(self, keys: Sequence[str]) -> FalseShare:
        """Share of normal white cells that are named as one of these classes."""
        known = [self.falsely_named[key] for key in keys if key in self.falsely_named]
        return together(known) if known else FALSELY_NAMED


NO_SUSPECTS = Suspects()


def of_limits(white: Estimator, rules: Rules, suspects: Suspects, highest: Certainty) -> Iterator[Finding]:
    """One finding per set of classes that the rules watch from the first cell on, and what may stand behind it.

    Args:
        white: the named cells.
        rules: the site's.
        suspects: cells that may be of these classes, too.
        highest: what the certainty is held back to.
    """
    facts: dict[tuple[str, ...], list[ShareRule]] = {}
    for rule in rules.share:
        if rule.of_limits and (keys := white.known(rule.of)):
            facts.setdefault(keys, []).append(rule)
    for keys, asked in facts.items():
        statement = _highest_limit(white, keys, asked, _beyond_mistakes(white, keys, suspects), highest)
        if statement is not None:
            yield statement
        yield from _suspects(white, keys, asked, suspects, highest)
        yield from _worst_case(white, keys, asked, rules.counting.unnamed, statement)
    watched = {key for keys in facts for key in keys}
    for key, count in suspects.cells.items():
        if key not in watched and count:
            yield Finding(
                "suspects",
                Sentence(
                    "{count} cells may be {name} though they have another name or none: look at them",
                    count=count,
                    name=key.replace("_", " "),
                ),
                Certainty.CANNOT_BE_EXCLUDED,
                Basis.COUNTS,
                {"count": count},
            )


def _highest_limit(
    white: Estimator, keys: Sequence[str], asked: Sequence[ShareRule], beyond: bool, highest: Certainty
) -> Finding | None:
    """The highest limit reached, else that such cells were seen; nothing of what was not counted."""
    count, total = white.count(keys), white.count((*keys, *white.rest(keys)))
    if not count:
        return None
    best, counted = white.share(keys), white.counted_share(keys)
    most = highest if white.error_known(keys) else at_most(highest, Certainty.LIKELY)
    limits = sorted((rule for rule in asked if rule.at_least is not None), key=_limit, reverse=True)
    open_limits = []
    for rule in limits:
        limit = _limit(rule)
        certainty = certainty_of_reaching(best, limit)
        if certainty in (Certainty.CERTAIN, Certainty.LIKELY) and (beyond or white.error_known(keys)):
            sure = at_most(certainty, most)
            if is_reported(sure, rule.tell_from):
                statement = Sentence(
                    "{cells} {count} of {of}, at least {limit} %",
                    cells=rule.words,
                    count=count,
                    of=total,
                    limit=percent(limit),
                )
                numbers = {"count": count, "of": total, "limit": limit}
                return finding_of(rule.code, statement, sure, best, in_percent(best), numbers)
        # What the counts alone leave open, no record of the network can close.
        elif certainty is not None or certainty_of_reaching(counted, limit) is not None:
            open_limits.append(rule)
    seen = next((rule for rule in asked if rule.seen), None)
    if seen is not None:
        statement = Sentence("{cells} {count} of {of}, look at the cells", cells=seen.words, count=count, of=total)
        if open_limits:
            statement = statement.and_also(", {open} % not excluded", open=percent(_limit(open_limits[0])))
        sure = at_most(Certainty.LIKELY if beyond else Certainty.CANNOT_BE_EXCLUDED, most)
        if is_reported(sure, seen.tell_from):
            return finding_of(
                seen.code, statement, sure, best, in_percent(best), {"count": count, "of": total, "limit": 0.001}
            )
    if open_limits and is_reported(Certainty.CANNOT_BE_EXCLUDED, open_limits[0].tell_from):
        rule = open_limits[0]
        statement = Sentence(
            "{cells} {count} of {of}, at least {limit} %",
            cells=rule.words,
            count=count,
            of=total,
            limit=percent(_limit(rule)),
        )
        numbers = {"count": count, "of": total, "limit": _limit(rule)}
        wider = best if best.high >= _limit(rule) else counted
        return finding_of(rule.code, statement, Certainty.CANNOT_BE_EXCLUDED, wider, in_percent(wider), numbers)
    return None


def _beyond_mistakes(white: Estimator, keys: Sequence[str], suspects: Suspects) -> bool:
    """More cells are named so, or named or suspected so, than the classifier's mistakes explain."""
    named, cells = white.count(keys), white.white_cells + white.named.get(UNSURE, 0)
    if suspects.named(keys).chance(named, white.white_cells) < BY_CHANCE:
        return True
    pointed = named + sum(suspects.cells.get(key, 0) for key in keys)
    return suspects.pointed_at(keys).chance(pointed, max(cells, pointed)) < BY_CHANCE


def _suspects(
    white: Estimator, keys: Sequence[str], asked: Sequence[ShareRule], suspects: Suspects, highest: Certainty
) -> Iterator[Finding]:
    """How many cells are suspects, and whether they are more than normal cells give."""
    count = sum(suspects.cells.get(key, 0) for key in keys)
    if not count:
        return
    named = white.count(keys)
    cells = max(white.white_cells + white.named.get(UNSURE, 0), named + count)
    # Where the first such cell is not remarkable, as in marrow, the lowest limit is what a normal sample may hold.
    normal = 0.0 if any(rule.seen for rule in asked) else min(_limit(rule) for rule in asked)
    false = suspects.pointed_at(keys)
    expected, chance = false.expected(normal), false.chance(named + count, cells, normal)
    rare = SUSPECTS_BY_CHANCE if false.cells is None else SUSPECTS_BY_CHANCE_KNOWN
    certainty = at_most(Certainty.LIKELY if chance < rare else Certainty.CANNOT_BE_EXCLUDED, highest)
    estimate = counted_share(named + count, cells)
    statement = Sentence(
        "{cells}: {suspects} suspect beside {named} named of {of} cells, look at them",
        cells=asked[0].words,
        suspects=count,
        named=named,
        of=cells,
    )
    why = Sentence(
        "normal cells give {expected}, so many by chance with p {p}",
        expected=f"{expected * cells:.0f}",
        p="< 0.001" if chance < 0.001 else f"= {chance:.2g}",
    )
    numbers = {"count": count, "named": named, "of": cells, "limit": expected, "p": chance}
    yield finding_of("blast_suspects", statement, certainty, estimate, why, numbers)


def _worst_case(
    white: Estimator,
    keys: Sequence[str],
    asked: Sequence[ShareRule],
    unnamed_classes: Sequence[str],
    statement: Finding | None,
) -> Iterator[Finding]:
    """The highest limit that is crossed if every cell that could not be named is one of these."""
    unnamed = white.named.get(UNSURE, 0) + white.count(key for key in white.known(unnamed_classes) if key not in keys)
    total = white.white_cells + unnamed
    count = white.count(keys) + unnamed
    limits = [_limit(rule) for rule in asked if rule.at_least is not None]
    reached = (
        0.0 if statement is None or statement.certainty is Certainty.CANNOT_BE_EXCLUDED else statement.numbers["limit"]
    )
    crossed = [limit for limit in limits if total and reached < limit <= count / total]
    if unnamed and crossed:
        limit = max(crossed)
        yield Finding(
            "worst_case",
            Sentence(
                "{cells} at least {limit} % if all {unnamed} unnamed cells are such (cannot be excluded): "
                "{count} of {of}, {share} %",
                cells=asked[0].words,
                limit=percent(limit),
                unnamed=unnamed,
                count=count,
                of=total,
                share=f"{100 * count / total:.1f}",
            ),
            Certainty.CANNOT_BE_EXCLUDED,
            Basis.COUNTS,
            {"count": count, "unnamed": unnamed, "of": total, "value": count / total, "limit": limit},
        )


def _limit(rule: ShareRule) -> float:
    return 0.0 if rule.at_least is None else rule.at_least
