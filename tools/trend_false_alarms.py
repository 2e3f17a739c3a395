"""How often a steady instrument is accused, and how soon a changed one is found: `python tools/trend_false_alarms.py`.

Values are drawn from a normal distribution, baseline and all, as a reference slide under a real lamp would give them;
a fixed folder of pictures varies less than the smallest limits and is accused of nothing.
"""

from collections.abc import Sequence
from random import Random

from leukoscope.quality_control.westgard import BASELINE_RUNS, Limits, Rule

BENCHES, CHECKS = 4000, 50


def first_alarm(random: Random, shifts: Sequence[float]) -> tuple[int, Rule] | None:
    """The check, from 1, at which one measure breaks a rule, and which.

    Args:
        random: where chance comes from.
        shifts: by how many standard deviations each check after the baseline is off.
    """
    values = [random.gauss(0, 1) for _ in range(BASELINE_RUNS)]
    limits = Limits.of(values, least_s=1e-9)
    for number, shift in enumerate(shifts, start=1):
        values.append(random.gauss(shift, 1))
        rule = limits.broken_by(values)
        if rule is not None:
            return number, rule
    return None


def false_alarm_rate(seed: int = 1, benches: int = BENCHES, checks: int = CHECKS) -> float:
    """Share of the values of a steady measure that break a rule."""
    random, accused = Random(seed), 0
    for _ in range(benches):
        values = [random.gauss(0, 1) for _ in range(BASELINE_RUNS)]
        limits = Limits.of(values, least_s=1e-9)
        for _ in range(checks):
            values.append(random.gauss(0, 1))
            accused += limits.broken_by(values) is not None
    return accused / (benches * checks)


def found_within(shifts: Sequence[float], seed: int = 1, benches: int = BENCHES) -> tuple[float, float]:
    """(share of benches where a change is found, share of those found by 2-2s)."""
    random = Random(seed)
    found = [alarm for _ in range(benches) if (alarm := first_alarm(random, shifts)) is not None]
    by_drift = sum(rule is Rule.TWO_2S for _, rule in found)
    return len(found) / benches, by_drift / max(1, len(found))


def main() -> None:
    """Print the figures."""
    rate = false_alarm_rate()
    print(f"steady: {100 * rate:.2f} % of the values of one measure break a rule")
    print(f"steady: {100 * (1 - (1 - rate) ** 7):.1f} % of checks with seven measures, were they independent")
    for words, shifts in (
        ("a step of 2 s", [2.0] * 10),
        ("a step of 4 s", [4.0] * 3),
        ("a drift of 0.25 s a check", [0.25 * n for n in range(1, 21)]),
    ):
        found, by_drift = found_within(shifts)
        found_in = f"found within {len(shifts)} checks in {100 * found:.0f} %"
        print(f"{words}: {found_in}, {100 * by_drift:.0f} % of them by 2-2s")


if __name__ == "__main__":
    main()
