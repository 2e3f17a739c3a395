import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukoscope.specimen.cell import UNSURE
from leukoscope.specimen.sample import Basis, Certainty, Finding, Source
from leukoscope.statistics.confusion import merge_confusion
from leukoscope.statistics.estimates import Estimate, Estimator, counted_ratio, counted_share, variation
from leukoscope.statistics.findings import (
    Counted,
    certainty_above,
    certainty_below,
    certainty_of_reaching,
    find_findings,
)
from leukoscope.statistics.misclassification import Correction
from leukoscope.statistics.rules import RedCellSizeRule, Rules, ShareRule
from tests.counting.test_tally import PROVENANCE
from tests.statistics.validations import FACTS, VALIDATION

CLASSES = (
    *("segmented", "band", "metamyelocyte", "myelocyte", "promyelocyte", "blast", "promonocyte", "monocyte"),
    *("lymphocyte", "lymphocyte_variant", "plasma", "eosinophil", "basophil", "erythroblast"),
    *("thrombocyte_aggregation", "smudge"),
)
WHITE = CLASSES[:13]
GROUPS = {"neutrophil": ("segmented", "band"), "erythroid": ("erythroblast",)}
BLOOD, MARROW = Rules.shipped("blood"), Rules.shipped("marrow")
CERTAIN, LIKELY, OPEN = Certainty.CERTAIN, Certainty.LIKELY, Certainty.CANNOT_BE_EXCLUDED
DISEASES = re.compile(r"(?i:leuka?emi|ana?emi|cancer|lymphoma|myeloma|sepsis|infect|syndrome)|\b(MDS|AML|ALL|CML)\b")


def counted(named: Mapping[str, int], **changes: Any) -> Counted:
    white = Estimator(named, CLASSES, WHITE, GROUPS, None)
    plain = Counted(
        white=white,
        diameter_cv=variation(0.08, 2000),
        irregular=counted_share(100, 2000),
        platelets_per_red_cell=counted_ratio(100, 2000),
        platelets=100,
        red_cell_um=7.2,
        red_cells_measured=2000,
        patches=1,
    )
    return replace(plain, **changes)


def found(named: Mapping[str, int], rules: Rules = BLOOD, **changes: Any) -> dict[str, Finding]:
    return {finding.code: finding for finding in find_findings(counted(named, **changes), rules, PROVENANCE)}


NORMAL = {"segmented": 116, "band": 4, "lymphocyte": 60, "monocyte": 12, "eosinophil": 6, "basophil": 1}


def test_normal_counts_leave_nothing_to_say() -> None:
    assert found(NORMAL) == {}


@pytest.mark.parametrize(
    ("blasts", "told"),
    # Of 100 cells: 2 of 100 is 0.2 to 7.0 %, 7 is 2.9 to 13.9 %, 26 is 17.7 to 35.7 %, 60 is 49.7 to 69.7 %.
    [
        (0, {}),
        (2, {"blasts_seen": CERTAIN, "blasts_5_percent": OPEN}),
        (7, {"blasts_seen": CERTAIN, "blasts_5_percent": LIKELY, "blasts_10_percent": OPEN}),
        (
            26,
            {
                "blasts_seen": CERTAIN,
                "blasts_20_percent": LIKELY,
                "blasts_10_percent": CERTAIN,
                "blasts_5_percent": CERTAIN,
            },
        ),
        (
            60,
            {
                "blasts_seen": CERTAIN,
                "blasts_20_percent": CERTAIN,
                "blasts_10_percent": CERTAIN,
                "blasts_5_percent": CERTAIN,
            },
        ),
    ],
)
def test_each_limit_of_blasts_is_certain_likely_or_open(blasts: int, told: dict[str, Certainty]) -> None:
    remarks = found({"segmented": 100 - blasts, "blast": blasts})
    assert {code: one.certainty for code, one in remarks.items() if code.startswith("blasts")} == told


def test_one_blast_alone_is_seen_but_not_for_certain() -> None:
    remarks = found({"segmented": 99, "blast": 1})
    assert remarks["blasts_seen"].certainty is LIKELY
    assert remarks["blasts_seen"].text == (
        "blasts 1 of 100, look at the cells (likely): 1.0 % (0.0 to 5.4 %, counts alone)"
    )
    assert remarks["blasts_seen"].numbers["count"] == 1


def test_few_cells_without_a_blast_do_not_exclude_five_percent() -> None:
    remarks = found({"segmented": 50})
    assert remarks["blasts_5_percent"].certainty is OPEN
    assert "blasts_seen" not in remarks
    assert "too_few_cells" in remarks


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("eosinophilia", {"segmented": 150, "eosinophil": 50}),
        ("basophilia", {"segmented": 180, "basophil": 20}),
        ("monocytosis", {"segmented": 140, "monocyte": 50, "promonocyte": 10}),
        ("lymphocytosis", {"segmented": 40, "lymphocyte": 140, "lymphocyte_variant": 20}),
        ("left_shift", {"segmented": 120, "band": 50, "metamyelocyte": 20, "myelocyte": 10}),
    ],
)
def test_a_share_above_its_range_is_told(code: str, named: Mapping[str, int]) -> None:
    assert found(named)[code].certainty is CERTAIN
    assert code not in found(NORMAL)


def test_a_share_that_only_might_be_above_its_range_is_not_told_unless_the_site_asks() -> None:
    named = {"segmented": 95, "eosinophil": 5}
    assert "eosinophilia" not in found(named)
    wary = BLOOD.model_copy(
        update={"share": tuple(rule.model_copy(update={"tell_from": OPEN}) for rule in BLOOD.share)},
    )
    assert found(named, wary)["eosinophilia"].certainty is OPEN


def test_a_site_can_ask_for_a_share_below_its_range() -> None:
    low = ShareRule(code="neutrophils_low", words="neutrophils", of=("neutrophil",), below=0.4)
    remarks = found({"segmented": 15, "band": 5, "lymphocyte": 180}, BLOOD.model_copy(update={"share": (low,)}))
    assert remarks["neutrophils_low"].certainty is CERTAIN
    assert remarks["neutrophils_low"].numbers["count"] == 20


def test_erythroblasts_are_told_per_hundred_white_cells() -> None:
    remark = found({**NORMAL, "erythroblast": 10})["erythroblasts_seen"]
    assert remark.numbers["value"] == pytest.approx(10 / 199)
    assert "5.0 per 100" in remark.text


def test_erythroblasts_without_white_cells_are_told_without_a_ratio() -> None:
    assert found({"erythroblast": 3})["erythroblasts_seen"].numbers == {"count": 3, "of": 0}


def test_red_cells_of_uneven_size_and_form_are_told() -> None:
    remarks = found(NORMAL, diameter_cv=variation(0.22, 2000), irregular=counted_share(900, 2000))
    assert remarks["anisocytosis"].certainty is CERTAIN
    assert remarks["irregular_red_cells"].certainty is CERTAIN


def test_a_few_uneven_red_cells_are_likely_at_most() -> None:
    assert found(NORMAL, diameter_cv=variation(0.17, 20))["anisocytosis"].certainty is LIKELY


@pytest.mark.parametrize(("platelets", "code"), [(20, "platelets_low"), (400, "platelets_high")])
def test_platelets_per_red_cell_outside_the_range_are_told(platelets: int, code: str) -> None:
    changes: dict[str, Any] = {"platelets": platelets, "platelets_per_red_cell": counted_ratio(platelets, 2000)}
    remarks = found(NORMAL, **changes)
    assert remarks[code].certainty is CERTAIN
    assert len(remarks) == 1


def test_few_platelets_beside_clumps_are_not_sure() -> None:
    changes: dict[str, Any] = {"platelets": 20, "platelets_per_red_cell": counted_ratio(20, 2000)}
    remark = found({**NORMAL, "thrombocyte_aggregation": 3}, **changes)["platelets_low"]
    assert remark.certainty is OPEN
    assert "3 clumps" in remark.text


def test_without_red_cells_nothing_is_said_about_them() -> None:
    assert found(NORMAL, diameter_cv=None, irregular=None, platelets_per_red_cell=None) == {}


@pytest.mark.parametrize(
    ("erythroblasts", "code", "certainty"),
    [
        (200, "me_ratio", CERTAIN),
        (600, "me_ratio_low", CERTAIN),
        (50, "me_ratio_high", CERTAIN),
        (165, "me_ratio", LIKELY),
    ],
)
def test_the_ratio_of_myeloid_to_erythroid_cells_is_told_in_marrow(
    erythroblasts: int, code: str, certainty: Certainty
) -> None:
    named = {"segmented": 400, "myelocyte": 200, "lymphocyte": 60, "erythroblast": erythroblasts}
    assert found(named, MARROW)[code].certainty is certainty
    assert not [code for code in found(named, BLOOD) if code.startswith("me_ratio")]


def test_the_interval_is_the_corrected_one_where_there_is_one_and_the_finding_says_which() -> None:
    named = {"segmented": 60, "lymphocyte": 120, "blast": 6}
    mix = Correction(merge_confusion(VALIDATION, FACTS)).correct(named)
    classes = [one.key for one in FACTS.classes]
    white = [one.key for one in FACTS.classes if one.in_differential]
    plain, corrected = (
        {one.code: one for one in find_findings(counted(named, white=white), BLOOD, PROVENANCE)}["blasts_seen"]
        for white in (Estimator(named, classes, white, {}, None), Estimator(named, classes, white, {}, mix))
    )
    assert (plain.basis, plain.certainty) == (Basis.COUNTS, CERTAIN)
    assert (corrected.basis, corrected.certainty) == (Basis.CORRECTED, LIKELY)
    assert "corrected" in corrected.text


def test_what_the_counts_leave_open_no_correction_closes() -> None:
    named = {"segmented": 60}
    mix = Correction(merge_confusion(VALIDATION, FACTS)).correct(named)
    classes = [one.key for one in FACTS.classes]
    white = Estimator(named, classes, [one.key for one in FACTS.classes if one.in_differential], {}, mix)
    assert white.share(["blast"]).high < 0.05 < white.counted_share(["blast"]).high
    remark = {one.code: one for one in find_findings(counted(named, white=white), BLOOD, PROVENANCE)}[
        "blasts_5_percent"
    ]
    assert (remark.basis, remark.certainty) == (Basis.COUNTS, OPEN)


def test_parts_of_the_slide_that_may_repeat_each_other_are_told() -> None:
    assert "repeats_possible" not in found({"segmented": 100})
    remark = found({"segmented": 100}, patches=3)["repeats_possible"]
    assert remark.text == "the slide was lost from view 2 times: cells of its 3 parts may be counted twice"


@pytest.mark.parametrize(
    ("mean_um", "cells", "told"),
    [
        (6.7, 2000, None),
        (6.5, 2000, "smaller"),
        (7.7, 100, None),
        (8.1, 100, "larger"),
        (8.1, 99, None),
        (None, 0, None),
    ],
)
@pytest.mark.parametrize("rules", [BLOOD, MARROW])
def test_red_cells_of_another_size_than_expected_question_the_scale(
    mean_um: float | None, cells: int, told: str | None, rules: Rules
) -> None:
    remark = found(NORMAL, rules, red_cell_um=mean_um, red_cells_measured=cells).get("red_cell_size")
    expected = f"red cells measure {mean_um} µm, 7.2 expected: check the scale, or the cells are {told} than usual"
    assert (None if remark is None else remark.text) == (None if told is None else expected)


def test_a_site_says_how_large_its_red_cells_are() -> None:
    small = BLOOD.model_copy(update={"red_cell_size": RedCellSizeRule(expected_um=6.0, max_off=0.1, min_cells=10)})
    assert "red_cell_size" in found(NORMAL, small, red_cell_um=7.2, red_cells_measured=10)
    without = BLOOD.model_copy(update={"red_cell_size": None})
    assert found(NORMAL, without, red_cell_um=17.2) == {}


def test_too_many_unsure_cells_are_told() -> None:
    assert found({**NORMAL, UNSURE: 60})["too_many_unsure"].numbers == {"count": 60, "of": 259, "limit": 0.15}


def test_what_the_rules_ask_for_and_the_classifier_cannot_name_is_told() -> None:
    strange = BLOOD.model_copy(update={"share": (ShareRule(code="x", words="x", of=("eosinofil",), above=0.1),)})
    assert "eosinofil" in found(NORMAL, strange)["not_judged"].text


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"calibration_measured": False}, "uncalibrated"),
        ({"source": Source.SIMULATED}, "simulated"),
        ({"source": Source.REPLAYED}, "replayed"),
    ],
)
def test_what_limits_the_trust_in_a_sample_is_told(changes: dict[str, Any], code: str) -> None:
    remarks = find_findings(counted(NORMAL), BLOOD, replace(PROVENANCE, **changes))
    assert [remark.code for remark in remarks] == [code]


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_certainty_never_grows_with_the_limit(one: float, two: float, three: float, limit: float) -> None:
    low, value, high = sorted((one, two, three))
    estimate = Estimate(value, low, high, Basis.COUNTS)
    order = [None, OPEN, LIKELY, CERTAIN]
    for ask in (certainty_above, certainty_of_reaching):
        assert order.index(ask(estimate, limit)) >= order.index(ask(estimate, min(1.0, limit + 0.1)))
    assert order.index(certainty_below(estimate, limit)) <= order.index(
        certainty_below(estimate, min(1.0, limit + 0.1))
    )


@given(st.dictionaries(st.sampled_from([*CLASSES, UNSURE]), st.integers(0, 300)), st.sampled_from([BLOOD, MARROW]))
def test_whatever_was_counted_is_worded_as_a_count_and_never_as_a_disease(named: dict[str, int], rules: Rules) -> None:
    for remark in find_findings(counted(named), rules, replace(PROVENANCE, source=Source.SIMULATED)):
        assert not DISEASES.search(remark.text), remark.text
        assert all(map(math.isfinite, remark.numbers.values()))


@given(st.integers(2, 5000), st.floats(0, 0.5))
def test_the_interval_of_a_variation_holds_it(cells: int, cv: float) -> None:
    estimate = variation(cv, cells)
    assert 0 <= estimate.low <= cv <= estimate.high
