"""Thousands of spoilt files and messages: each is taken as valid or refused by name. `tools/fuzz` runs many more."""

from itertools import count
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.cases import ACCEPTED, run_case
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS
from tests.fuzz.watch import little_memory

CASES = 500
"""Per target of weight 1."""


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_what_is_not_spoilt_is_accepted(target: Target, tmp_path: Path) -> None:
    for number, content in enumerate(target.valid()):
        assert run_case(target, content, tmp_path / str(number)) == ACCEPTED


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_whatever_is_spoilt_is_taken_or_refused_by_name(target: Target, tmp_path: Path) -> None:
    numbers = count()
    outcomes = set()

    @settings(
        max_examples=round(CASES * target.weight),
        derandomize=True,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.integers(0, 2**64 - 1))
    def spoil_and_read(seed: int) -> None:
        outcomes.add(run_case(target, target.spoil(Random(seed)), tmp_path / str(next(numbers))))

    with little_memory():
        spoil_and_read()
    assert len(outcomes) == 2, "a target whose cases all end alike looks at nothing"
