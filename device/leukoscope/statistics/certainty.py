"""How sure a finding is, and how it is worded."""

from collections.abc import Mapping
from typing import TypeGuard

from leukoscope.sentence import Sentence
from leukoscope.specimen.sample import Basis, Certainty, Finding
from leukoscope.statistics.estimates import Estimate

_SURE_ENOUGH = (Certainty.CANNOT_BE_EXCLUDED, Certainty.LIKELY, Certainty.CERTAIN)
_IN_WORDS = {
    Certainty.CERTAIN: "certain",
    Certainty.LIKELY: "likely",
    Certainty.CANNOT_BE_EXCLUDED: "cannot be excluded",
}


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


def at_most(certainty: Certainty, highest: Certainty) -> Certainty:
    """The lesser of both."""
    return min(certainty, highest, key=_SURE_ENOUGH.index)


def is_reported(certainty: Certainty | None, tell_from: Certainty) -> TypeGuard[Certainty]:
    """The certainty is at least the least that the rules want to hear of."""
    return certainty is not None and _SURE_ENOUGH.index(certainty) >= _SURE_ENOUGH.index(tell_from)


def finding_of(
    code: str,
    statement: Sentence,
    certainty: Certainty,
    estimate: Estimate,
    interval: str,
    numbers: Mapping[str, float],
) -> Finding:
    """A finding on an interval, in words with its certainty."""
    text = statement.and_also(" ({certainty}): {value}", certainty=_IN_WORDS[certainty], value=interval)
    value = {"value": estimate.value, "low": estimate.low, "high": estimate.high}
    return Finding(code, text, certainty, estimate.basis, {**numbers, **value})


def percent(share: float) -> str:
    """A share in percent, with three digits at most."""
    return f"{100 * share:.3g}"


def in_percent(estimate: Estimate) -> str:
    """An estimate in percent, with its interval and what error that holds."""
    return Sentence(
        "{value} % ({low} to {high} %, {error})",
        value=f"{100 * estimate.value:.1f}",
        low=f"{100 * estimate.low:.1f}",
        high=f"{100 * estimate.high:.1f}",
        error=error_of(estimate),
    )


def error_of(estimate: Estimate) -> str:
    """Which error the interval holds, in words."""
    return "corrected" if estimate.basis is Basis.CORRECTED else "counts alone"
