import numpy as np
import pytest
from rich.console import Console

import interval_coverage
from intervals_simulated.methods import inverted
from intervals_simulated.scoring import Score, table_of
from intervals_simulated.world import MIXES, World
from leukoscope.statistics.confusion import merge_confusion
from tests.statistics.validations import FACTS, MISTAKES, VALIDATION


def test_what_lies_outside_93_to_97_percent_is_marked() -> None:
    scores = {"band": {"counts alone": Score(50, 0.42, 0.1), "corrected": Score(50, 0.98, 0.2)}}
    console = Console(width=100)
    with console.capture() as captured:
        console.print(table_of(scores, "table"))
    assert "42.0 <" in captured.get()
    assert "98.0 >" in captured.get()


def test_a_world_gives_a_validation_of_the_size_of_the_real_one() -> None:
    (*_, sample) = World(VALIDATION, FACTS).samples(100, 1, np.random.default_rng(1))
    (matrix,) = sample.validation.matrices
    assert [sum(counts) for counts in matrix.counts] == [sum(row.values()) for row in MISTAKES.values()]
    assert sum(sample.named.values()) == 100
    assert sample.truth["neutrophil"] == pytest.approx(sample.truth["segmented"] + sample.truth["band"])


@pytest.mark.parametrize(("between", "found"), [(0.0, 0.02), (0.3, 0.15)])
def test_laboratories_of_a_world_differ_as_much_as_they_are_told_to(between: float, found: float) -> None:
    many = VALIDATION.model_copy(update={"matrices": VALIDATION.matrices * 6})
    (*_, sample) = World(many, FACTS, between=between).samples(100, 1, np.random.default_rng(1))
    measured = merge_confusion(sample.validation, FACTS).between
    assert measured < found if between == 0 else measured > found


def test_every_mix_adds_up_to_one() -> None:
    for name, shares in MIXES.items():
        assert sum(shares.values()) == pytest.approx(1, abs=0.03), name


def test_the_plain_alternative_finds_what_a_large_sample_is_made_of() -> None:
    world = World(VALIDATION, FACTS)
    sample = next(world.samples(20_000, 1, np.random.default_rng(2)))
    low, high = inverted(sample, world.parts(), FACTS)["lymphocyte"]
    assert low < sample.truth["lymphocyte"] < high


def test_a_bundle_without_a_validation_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = interval_coverage.Bundle.read(interval_coverage.find_asset("models", "segmenter"))
    monkeypatch.setattr(interval_coverage.Bundle, "read", lambda folder: bundle)
    with pytest.raises(interval_coverage.BundleError, match="no validation"):
        interval_coverage.main()
