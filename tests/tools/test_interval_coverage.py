"""The tool that counts how often intervals hold the truth."""

import numpy as np
import pytest
from rich.console import Console

import interval_coverage
from intervals_simulated.laboratories import Laboratory
from intervals_simulated.methods import Estimated, corrected, counted
from intervals_simulated.scoring import Score, score, table_of
from intervals_simulated.world import MIXES, World
from leukoscope.errors import BundleError
from leukoscope.inference.bundle import Bundle
from leukoscope.specimen.cell import UNSURE
from leukoscope.system.assets import find_asset
from named_cells.cache import NamedCells
from tests.statistics.validations import FACTS, KEYS, MISTAKES, VALIDATION, WHITE


def test_what_lies_outside_93_to_97_percent_is_marked() -> None:
    scores = {("pbc", "band"): {"counts": Score(50, 60, 0.42, 1.0, 0.1), "verified": Score(50, 60, 0.98, 1.2, 0.02)}}
    console = Console(width=150)
    with console.capture() as captured:
        console.print(table_of(scores, "table"))
    assert "42<" in captured.get()
    assert "98>" in captured.get()
    assert "50 of 60" in captured.get()


def test_a_world_gives_validations_of_the_size_of_the_real_one_and_a_bench_of_its_own() -> None:
    (*_, sample) = World(VALIDATION, FACTS).samples(100, 1, np.random.default_rng(1), checked=60)
    (matrix,) = sample.others
    assert [sum(counts) for counts in matrix.counts] == [sum(row.values()) for row in MISTAKES.values()]
    assert (len(sample.answers), len(sample.checked.labels)) == (100, 60)
    assert sample.truth["neutrophil"] == pytest.approx(sample.truth["segmented"] + sample.truth["band"])


def test_every_mix_adds_up_to_one() -> None:
    for name, shares in MIXES.items():
        assert sum(shares.values()) == pytest.approx(1, abs=0.03), name


def test_intervals_of_a_verified_bench_hold_the_truth_more_often_than_those_of_the_counts() -> None:
    world = World(VALIDATION, FACTS, between=0.05)
    scores = score(FACTS, world.samples(200, 12, np.random.default_rng(8)), ["counts", "verified"])
    # Of blasts this bench has seen too few.
    assert {part for _, part in scores} == {*WHITE, "neutrophil"} - {"blast"}
    held = [one["verified"].held for one in scores.values()]
    assert np.mean(held) >= 0.92
    assert np.mean(held) > np.mean([one["counts"].held for one in scores.values()])


def test_methods_are_compared_where_each_gives_an_interval() -> None:
    world = World(VALIDATION, FACTS, between=0.05)
    scores = score(FACTS, world.samples(200, 12, np.random.default_rng(8)), ["counts", "verified"])
    few = [one for by_method in scores.values() for one in by_method.values() if one.samples < one.of]
    assert few
    for by_method in scores.values():
        assert by_method["counts"].samples == by_method["verified"].samples
    alone = score(FACTS, world.samples(200, 12, np.random.default_rng(8)), ["counts"])
    assert "blast" in {part for _, part in alone}


def laboratory() -> Laboratory:
    """Twenty cells of each class and forty of a coarse label, all named as they are."""
    labels = [key for key in KEYS for _ in range(20)] + ["neutrophil_unspecified"] * 40
    answers = [key for key in KEYS for _ in range(20)] + [UNSURE] * 40
    shares = np.eye(len(KEYS))[[KEYS.index(key) if key in KEYS else 0 for key in answers]]
    groups = tuple(f"patient {number % 5}" for number in range(len(labels)))
    cells = NamedCells("drawn", tuple(labels), groups, shares, tuple(answers))
    return Laboratory(cells, FACTS, {"neutrophil_unspecified": ("segmented", "band")})


def test_cells_with_a_coarse_label_are_left_out_where_there_are_fine_ones() -> None:
    one = laboratory()
    assert set(one.parts) == set(WHITE)
    assert len(one.kept) == 20 * len(KEYS)


def test_a_bench_of_specimens_has_checked_cells_of_three_others() -> None:
    found = list(laboratory().specimens((), 60, 50, 1, np.random.default_rng(3)))
    assert len(found) == 5
    for sample in found:
        assert [sample.checked.specimens.count(name) for name in sorted(set(sample.checked.specimens))] == [20, 20, 20]
    for sample in found:
        assert sum(sample.truth.values()) == pytest.approx(1)
        assert len(sample.answers) == 50


def test_counts_and_corrected_shares_of_perfectly_named_cells_are_the_truth() -> None:
    sample = next(laboratory().drawn((), 100, 100, 1, np.random.default_rng(5)))
    for method in (counted, corrected):
        found = method(sample, FACTS)["lymphocyte"]
        assert isinstance(found, Estimated)
        assert found.low <= found.value <= found.high
        assert found.value == pytest.approx(sample.truth["lymphocyte"], abs=0.15)


def test_a_bundle_without_a_validation_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = Bundle.read(find_asset("models", "segmenter"))
    monkeypatch.setattr(Bundle, "read", lambda folder: bundle)
    with pytest.raises(BundleError, match="no validation"):
        interval_coverage.main()
