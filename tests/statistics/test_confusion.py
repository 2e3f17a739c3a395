import numpy as np
import pytest

from leukoscope.errors import BundleError
from leukoscope.inference.validation import ConfusionMatrix, Validation
from leukoscope.specimen.cell import UNSURE
from leukoscope.statistics.confusion import ConfusionRows, estimate_between, merge_confusion, scale_down
from tests.statistics.validations import FACTS, KEYS, MISTAKES, matrix


def rows_of(*matrices: ConfusionMatrix) -> ConfusionRows:
    return merge_confusion(Validation(matrices=matrices), FACTS)


def entry(rows: ConfusionRows, truth: str, named: str) -> float:
    return float(rows.worth[rows.classes.index(truth), rows.named.index(named)])


def test_collections_that_agree_are_added_cell_by_cell() -> None:
    first = matrix({"blast": {"blast": 90, "lymphocyte": 10}})
    second = matrix({"blast": {"blast": 180, "lymphocyte": 20}}, "another")
    rows = rows_of(first, second)
    assert rows.between == 0
    assert entry(rows, "blast", "blast") == 270
    assert entry(rows, "blast", "lymphocyte") == 30
    assert rows.cells[KEYS.index("blast")] == 300


def test_collections_that_disagree_are_worth_few_cells() -> None:
    first = matrix({"blast": {"blast": 990, "lymphocyte": 10}})
    second = matrix({"blast": {"blast": 500, "lymphocyte": 500}}, "another")
    rows = rows_of(first, second)
    assert rows.between > 0.2
    worth = rows.worth[KEYS.index("blast")]
    assert 0.5 < worth.sum() < 4
    assert worth[KEYS.index("blast")] / worth.sum() == pytest.approx(0.745, abs=0.01)


def test_a_class_nobody_validated_is_told() -> None:
    rows = rows_of(matrix({key: MISTAKES[key] for key in KEYS if key != "smudge"}))
    assert rows.unvalidated == ("smudge",)


def test_a_coarse_label_tells_how_cells_leave_their_group_and_nothing_within_it() -> None:
    exact = matrix({"segmented": {"segmented": 60, "band": 20}, "band": {"band": 10, "segmented": 10}})
    coarse = matrix({"neutrophil": {"segmented": 480, "band": 10, "monocyte": 10}}, "coarse")
    alone, both = rows_of(exact), rows_of(exact, coarse)
    assert entry(both, "segmented", "segmented") == entry(alone, "segmented", "segmented")
    assert entry(both, "segmented", "band") == entry(alone, "segmented", "band")
    # 80 of the 100 cells with an exact label are segmented, so these get four of five of what left the group.
    assert entry(both, "segmented", "monocyte") == pytest.approx(8)
    assert entry(both, "band", "monocyte") == pytest.approx(2)
    assert both.inside[KEYS.index("segmented")] == pytest.approx(0.8 * 490)


def test_a_coarse_label_without_any_exact_one_is_of_no_use() -> None:
    rows = rows_of(matrix({"neutrophil": {"segmented": 480}}))
    assert not rows.worth.any()
    assert "segmented" in rows.unvalidated


def test_a_label_that_is_no_class_and_no_group_is_listed_as_unused() -> None:
    assert rows_of(matrix({"immature": {"blast": 5}, **MISTAKES})).unused == ("immature",)


def test_the_order_of_the_columns_does_not_matter() -> None:
    one = matrix(MISTAKES)
    turned = ConfusionMatrix(
        collection=one.collection,
        held_out_by=one.held_out_by,
        truth=one.truth,
        named=one.named[::-1],
        counts=tuple(row[::-1] for row in one.counts),
    )
    assert np.array_equal(rows_of(one).worth, rows_of(turned).worth)


def test_an_answer_the_bundle_cannot_give_is_refused_by_name() -> None:
    strange = ConfusionMatrix(
        collection="c", held_out_by="slide", truth=("blast",), named=("blast", "hairy"), counts=((1, 2),)
    )
    with pytest.raises(BundleError, match="hairy"):
        rows_of(strange)


@pytest.mark.parametrize("between", [0.0, 0.05, 0.2])
def test_how_far_laboratories_lie_apart_is_found_again(between: float) -> None:
    rng = np.random.default_rng(3)
    mean = np.array([0.8, 0.1, 0.06, 0.04])
    classes = []
    for _ in range(60):
        labs = [rng.dirichlet(mean * (1 - between) / between) if between else mean for _ in range(3)]
        classes.append(
            [rng.multinomial(size, lab).astype(float) for size, lab in zip((40, 200, 500), labs, strict=True)]
        )
    assert estimate_between(classes) == pytest.approx(between, abs=0.04)


def test_one_collection_alone_says_nothing_about_laboratories() -> None:
    assert estimate_between([[np.array([5.0, 5.0])]]) == 0


def test_cells_of_one_collection_are_worth_no_more_than_one_over_the_share_between() -> None:
    assert scale_down(np.array([1e6, 0.0]), 0.1).sum() == pytest.approx(10, rel=1e-3)
    assert scale_down(np.array([30.0, 10.0]), 0.0).sum() == 40


def test_unsure_is_an_answer_and_never_a_truth() -> None:
    rows = rows_of(matrix(MISTAKES))
    assert rows.named[-1] == UNSURE
    assert UNSURE not in rows.classes
