import json

import numpy as np
import pytest

from leukoscope.errors import BundleError
from leukoscope.inference.validation import ConfusionMatrix
from leukoscope.specimen.cell import UNSURE
from leukoscope.statistics.laboratories import NamingRecord
from tests.statistics.validations import FACTS, KEYS, MISTAKES, matrix


def record_of(*matrices: ConfusionMatrix) -> NamingRecord:
    return NamingRecord.of(matrices, FACTS)


def answers(record: NamingRecord, truth: str, named: str) -> list[float]:
    return list(record.answers[:, record.classes.index(truth), record.named.index(named)])


def test_each_laboratory_keeps_its_own_rows() -> None:
    first = matrix({"blast": {"blast": 90, "lymphocyte": 10}})
    second = matrix({"blast": {"blast": 180, "lymphocyte": 20}}, "another")
    record = record_of(first, second)
    assert answers(record, "blast", "blast") == [90, 180]
    assert answers(record, "blast", "lymphocyte") == [10, 20]
    assert record.cells[KEYS.index("blast")] == 300


def test_answers_inside_the_own_group_are_right_on_the_first_level_and_told_apart_on_the_second() -> None:
    record = record_of(matrix({"segmented": {"segmented": 60, "band": 20, "monocyte": 5}}))
    assert answers(record, "segmented", "segmented") == [80]
    assert answers(record, "segmented", "band") == [0]
    assert record.inside[0, KEYS.index("segmented"), KEYS.index("band")] == 20


def test_a_coarse_label_tells_how_cells_leave_their_group_and_nothing_within_it() -> None:
    exact = matrix({"segmented": {"segmented": 60, "band": 20}, "band": {"band": 10, "segmented": 10}})
    coarse = matrix({"neutrophil": {"segmented": 480, "band": 10, "monocyte": 10}}, "coarse")
    record = record_of(exact, coarse)
    assert not record.inside[1].any()
    # 80 of the 100 cells with a fine label are segmented: four of five of what left the group are theirs.
    assert answers(record, "segmented", "monocyte")[1] == pytest.approx(10 * 80.5 / 101)
    assert answers(record, "band", "monocyte")[1] == pytest.approx(10 * 20.5 / 101)


def test_a_label_that_is_no_class_and_no_group_is_listed_as_unused() -> None:
    assert record_of(matrix({"immature": {"blast": 5}, **MISTAKES})).unused == ("immature",)


def test_the_order_of_the_columns_does_not_matter() -> None:
    one = matrix(MISTAKES)
    turned = ConfusionMatrix(
        collection=one.collection,
        held_out_by=one.held_out_by,
        truth=one.truth,
        named=one.named[::-1],
        counts=tuple(row[::-1] for row in one.counts),
    )
    assert np.array_equal(record_of(one).answers, record_of(turned).answers)


def test_an_answer_the_bundle_cannot_give_is_refused_by_name() -> None:
    unknown = ConfusionMatrix(
        collection="c", held_out_by="slide", truth=("blast",), named=("blast", "hairy"), counts=((1, 2),)
    )
    with pytest.raises(BundleError, match="hairy"):
        record_of(unknown)


def test_a_record_comes_back_from_json_as_it_was() -> None:
    record = record_of(matrix(MISTAKES), matrix({"neutrophil": {"segmented": 7, UNSURE: 1}}, "coarse"))
    again = NamingRecord.from_json(json.loads(json.dumps(record.to_json())))
    assert again.classes == record.classes
    assert again.cells == record.cells
    for name in ("answers", "inside", "group"):
        assert np.array_equal(getattr(again, name), getattr(record, name))


def test_unsure_is_an_answer_and_never_a_truth() -> None:
    record = record_of(matrix(MISTAKES))
    assert record.named[-1] == UNSURE
    assert UNSURE not in record.classes
