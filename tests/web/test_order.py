"""The galleries are in the order in which a look is worth most."""

from dataclasses import replace

from leukoscope.outbox.white_cells import Named
from leukoscope.specimen.census import CellRecord
from leukoscope.web.drafts import Draft
from leukoscope.web.report_view import View
from leukoscope.web.reports import Sample
from tests.messages.examples import report


def cell(number: int, name: str, **shares: float) -> Named:
    return Named(CellRecord(number, 1, name, shares.get(name, 0.9), (0, 0, 9, 9), (), shares), name, False)


def view_of(*cells: Named) -> View:
    return View(Sample(report(), cells, frozenset(), {}, ("segmented", "lymphocyte"), None), Draft(1))


def test_after_rare_classes_come_those_that_a_change_would_tell_in_most() -> None:
    sure = [cell(number, "segmented", segmented=0.99, band=0.01) for number in range(1, 41)]
    doubtful = [cell(number, "lymphocyte", lymphocyte=0.6, monocyte=0.4) for number in range(41, 61)]
    rare = [cell(61, "basophil", basophil=0.9, eosinophil=0.1)]
    unsure = [cell(62, "unsure", segmented=0.5, band=0.5)]
    blasts = [cell(63, "blast", blast=0.9)]
    shown = [group.name for group in view_of(*sure, *doubtful, *rare, *unsure, *blasts).groups()]
    assert shown == ["blast", "unsure", "basophil", "lymphocyte", "segmented"]


def test_within_a_class_the_cell_that_may_be_of_a_class_with_few_cells_comes_first_and_a_named_one_last() -> None:
    common = cell(1, "segmented", segmented=0.7, lymphocyte=0.3)
    seldom = cell(2, "segmented", segmented=0.7, basophil=0.3)
    named = replace(cell(3, "segmented", segmented=0.5, basophil=0.5), checked=True)
    others = [cell(number, "lymphocyte", lymphocyte=1.0) for number in range(4, 30)]
    groups = {group.name: group for group in view_of(named, common, seldom, *others).groups()}
    assert [one.record.number for one in groups["segmented"].cells] == [2, 1, 3]


def test_without_probabilities_the_least_sure_come_first() -> None:
    cells = [
        Named(CellRecord(number, 1, "segmented", confidence, (0, 0, 9, 9)), "segmented", False)
        for number, confidence in ((1, 0.9), (2, 0.6), (3, 0.8))
    ]
    (group,) = view_of(*cells).groups()
    assert [one.record.number for one in group.cells] == [2, 3, 1]
