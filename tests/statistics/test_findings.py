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
from leukoscope.statistics.blast_findings import Suspects
from leukoscope.statistics.certainty import certainty_above, certainty_below, certainty_of_reaching
from leukoscope.statistics.estimates import Estimate, Estimator, counted_ratio, counted_share, variation
from leukoscope.statistics.false_alarms import FalseShare
from leukoscope.statistics.findings import Counted, find_findings
from leukoscope.statistics.laboratories import NamingRecord
from leukoscope.statistics.misclassification import Correction
from leukoscope.statistics.rules import Rules
from leukoscope.statistics.rules.rule_tables import RedCellSizeRule, ShareRule
from tests.counting.test_tally import PROVENANCE
from tests.statistics.validations import FACTS, MISTAKES, VALIDATION, matrix

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
    ("blasts", "code", "certainty"),
    # Of 100 cells: 2 of 100 is 0.2 to 7.0 %, 7 is 2.9 to 13.9 %, 26 is 17.7 to 35.7 %, 60 is 49.7 to 69.7 %.
    [
        (1, "blasts_seen", OPEN),
        (2, "blasts_seen", OPEN),
        (4, "blasts_seen", OPEN),
        (7, "blasts_5_percent", LIKELY),
        (13, "blasts_10_percent", LIKELY),
        (26, "blasts_20_percent", LIKELY),
        (60, "blasts_20_percent", LIKELY),
    ],
)
def test_of_blasts_the_highest_limit_reached_is_told_once(blasts: int, code: str, certainty: Certainty) -> None:
    remarks = found({"segmented": 100 - blasts, "blast": blasts})
    assert {name: one.certainty for name, one in remarks.items() if name.startswith("blasts")} == {code: certainty}


def test_blasts_are_certain_only_where_the_error_of_naming_is_known() -> None:
    named = {"segmented": 40, "blast": 60}
    white = Estimator(named, CLASSES, WHITE, GROUPS, None, names_known=True)
    assert found(named)["blasts_20_percent"].certainty is LIKELY
    assert found(named, white=white)["blasts_20_percent"].certainty is CERTAIN


def test_one_blast_is_told_with_its_number_and_the_limit_it_leaves_open() -> None:
    remark = found({"segmented": 99, "blast": 1})["blasts_seen"]
    assert remark.text == (
        "blasts 1 of 100, look at the cells, 5 % not excluded (cannot be excluded): 1.0 % (0.0 to 5.4 %, counts alone)"
    )
    assert remark.numbers["count"] == 1


@given(st.dictionaries(st.sampled_from([*WHITE, UNSURE]), st.integers(0, 60)), st.sampled_from([BLOOD, MARROW]))
def test_nothing_is_likely_that_was_not_counted(named: dict[str, int], rules: Rules) -> None:
    asked = {rule.code: rule for rule in rules.share}
    for code, remark in found(named, rules).items():
        if code in asked and remark.certainty is not OPEN:
            assert sum(named.get(key, 0) for key in asked[code].of) > 0, remark.text


def test_too_few_cells_come_first_and_hold_back_shares() -> None:
    remarks = find_findings(counted({"segmented": 20, "eosinophil": 40, "blast": 20}), BLOOD, PROVENANCE)
    assert [(one.code, one.certainty) for one in remarks] == [
        ("too_few_cells", CERTAIN),
        ("blasts_20_percent", LIKELY),
    ]


def test_cells_that_cannot_be_named_come_first_and_hold_back_shares() -> None:
    remarks = find_findings(counted({"segmented": 100, "eosinophil": 100, UNSURE: 60}), BLOOD, PROVENANCE)
    assert [one.code for one in remarks] == ["too_many_unsure", "worst_case"]


@pytest.mark.parametrize(
    ("named", "share", "limit"),
    [
        ({"segmented": 100, UNSURE: 17}, "14.5 %", "10 %"),
        ({"segmented": 100, "smudge": 300}, "75.0 %", "20 %"),
        ({"segmented": 96, "blast": 4, UNSURE: 2}, "5.9 %", "5 %"),
    ],
)
def test_the_worst_case_of_the_unnamed_is_told_in_one_line(named: dict[str, int], share: str, limit: str) -> None:
    remark = found(named)["worst_case"]
    assert f"blasts at least {limit} if all" in remark.text
    assert share in remark.text
    assert remark.certainty is OPEN


def test_the_worst_case_holds_unnamed_cells_that_the_rules_name_by_their_group() -> None:
    counting = BLOOD.counting.model_copy(update={"unnamed": ("erythroid",)})
    remark = found({"segmented": 100, "erythroblast": 100}, BLOOD.model_copy(update={"counting": counting}))[
        "worst_case"
    ]
    assert "50.0 %" in remark.text


def test_a_worst_case_that_crosses_no_limit_is_none() -> None:
    assert "worst_case" not in found({"segmented": 100, UNSURE: 4})
    assert "worst_case" not in found({"segmented": 40, "blast": 60, UNSURE: 5})


def test_many_cells_of_which_nothing_can_be_told_are_told() -> None:
    remarks = found({"segmented": 100, "smudge": 300})
    assert next(iter(remarks)) == "too_many_unnamed"
    assert remarks["too_many_unnamed"].numbers == {"count": 300, "of": 400, "limit": 0.3}


def test_suspects_are_tested_against_what_normal_cells_give() -> None:
    """30 % malignant cells of which a quarter are suspect, none named a blast; and as many as normal blood has."""
    got = found({"segmented": 200}, suspects=Suspects({"blast": 20}, {"blast": FalseShare(0.04)}))["blast_suspects"]
    assert got.certainty is LIKELY
    assert got.numbers["count"] == 20
    assert got.text.endswith("normal cells give 8, so many by chance with p < 0.001")
    for count in (1, 8):
        suspects = Suspects({"blast": count}, {"blast": FalseShare(0.04)})
        assert found({"segmented": 200}, suspects=suspects)["blast_suspects"].certainty is OPEN
    assert "blast_suspects" not in found({"segmented": 200})


def test_suspects_in_marrow_are_beside_the_blasts_that_normal_marrow_has() -> None:
    suspects = Suspects({"blast": 45}, {"blast": FalseShare(0.04)})
    assert found({"segmented": 500}, MARROW, suspects=suspects)["blast_suspects"].certainty is OPEN
    assert found({"segmented": 500}, BLOOD, suspects=suspects)["blast_suspects"].certainty is LIKELY


def test_a_bench_whose_normal_cells_are_often_suspect_is_judged_by_these() -> None:
    """Of 100 checked normal cells 15 were suspect and 8 named blast: 30 and 12 of 200 are nothing new there."""
    here = Suspects({"blast": 30}, {"blast": FalseShare(0.15, 110)}, {"blast": FalseShare(0.08, 110)})
    elsewhere = Suspects({"blast": 30}, {"blast": FalseShare(0.046)})
    counts = {"segmented": 188, "blast": 12}
    assert found(counts, suspects=elsewhere)["blasts_5_percent"].certainty is LIKELY
    assert {one.certainty for code, one in found(counts, suspects=here).items() if "blast" in code} == {OPEN}
    # Where few cells say so, the share can be far from it: more suspects are needed than by a share that is given.
    assert FalseShare(0.15, 110).chance(42, 200) > FalseShare(0.15).chance(42, 200)


def test_a_name_that_a_person_took_away_leaves_a_trace() -> None:
    withdrawn = {("blast", UNSURE): 2, ("blast", "smudge"): 1}
    remark = found({"segmented": 120, UNSURE: 2, "smudge": 1}, withdrawn=withdrawn)["relabelled_unnamed"]
    assert "blast to smudge 1, blast to unsure 2" in remark.text


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ({"segmented": 60, "plasma": 40}, "plasma_cells"),
        ({"segmented": 80, "promyelocyte": 40}, "promyelocytes"),
        ({"segmented": 80, "promonocyte": 40}, "promonocytes"),
        ({"segmented": 60, "lymphocyte_variant": 50}, "variant_lymphocytes"),
        ({"segmented": 115, "lymphocyte": 5}, "neutrophilia"),
    ],
)
def test_every_class_has_a_rule_of_its_own(named: dict[str, int], code: str) -> None:
    assert found(named)[code].certainty is LIKELY


@pytest.mark.parametrize("rules", [BLOOD, MARROW])
def test_the_shipped_rules_leave_no_class_unjudged_and_others_say_which(rules: Rules) -> None:
    named = dict.fromkeys(WHITE, 20)
    assert "not_covered" not in found(named, rules)
    without = rules.model_copy(update={"share": (), "maturation": ()})
    assert "plasma 20" in found(named, without)["not_covered"].text


def test_a_share_above_its_range_needs_cells_and_an_interval_beyond_it() -> None:
    """4 of 100 basophils are 1.1 to 9.9 %: the limit of 2 % lies inside; 10 of 100 are 4.9 to 17.6 %."""
    assert "basophilia" not in found({"segmented": 96, "basophil": 4})
    assert found({"segmented": 90, "basophil": 10})["basophilia"].certainty is LIKELY
    few = BLOOD.model_copy(
        update={"share": tuple(rule.model_copy(update={"min_cells": 11}) for rule in BLOOD.share)},
    )
    assert "basophilia" not in found({"segmented": 90, "basophil": 10}, few)


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
    assert found(named)[code].certainty is LIKELY
    white = Estimator(named, CLASSES, WHITE, GROUPS, None, names_known=True)
    assert found(named, white=white)[code].certainty is CERTAIN
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
    assert remarks["neutrophils_low"].certainty is LIKELY
    assert remarks["neutrophils_low"].numbers["count"] == 20


def test_erythroblasts_are_told_per_hundred_white_cells() -> None:
    remark = found({**NORMAL, "erythroblast": 10})["erythroblasts_seen"]
    assert remark.numbers["value"] == pytest.approx(10 / 199)
    assert "5.0 per 100" in remark.text
    assert remark.certainty is LIKELY
    for few in (1, 2, 5):
        assert found({**NORMAL, "erythroblast": few})["erythroblasts_seen"].certainty is OPEN


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


def correction() -> Correction:
    return Correction(NamingRecord.of((), FACTS), NamingRecord.of(VALIDATION.matrices, FACTS))


def test_the_interval_is_the_corrected_one_where_there_is_one_and_the_finding_says_which() -> None:
    named = {"segmented": 60, "lymphocyte": 120, "blast": 6}
    mix = correction().correct(named)
    classes = [one.key for one in FACTS.classes]
    white = [one.key for one in FACTS.classes if one.in_differential]
    plain, corrected = (
        {one.code: one for one in find_findings(counted(named, white=white), BLOOD, PROVENANCE)}["blasts_seen"]
        for white in (Estimator(named, classes, white, {}, None), Estimator(named, classes, white, {}, mix))
    )
    assert plain.basis is Basis.COUNTS
    assert corrected.basis is Basis.CORRECTED
    assert "corrected" in corrected.text


def test_what_a_verified_bench_never_had_checked_stays_as_counted_and_is_never_certain() -> None:
    named = {"segmented": 60, "lymphocyte": 100, "blast": 40}
    of_bench = {key: row for key, row in MISTAKES.items() if key != "blast"}
    bench = NamingRecord.of((matrix(of_bench),), FACTS)
    mix = Correction(NamingRecord.of(VALIDATION.matrices, FACTS), bench).correct(named)
    classes = [one.key for one in FACTS.classes]
    white = Estimator(named, classes, [one.key for one in FACTS.classes if one.in_differential], {}, mix)
    findings = {one.code: one for one in find_findings(counted(named, white=white), BLOOD, PROVENANCE)}
    assert white.share(["lymphocyte"]).basis is Basis.CORRECTED
    blasts = findings["blasts_20_percent"]
    assert (blasts.basis, blasts.certainty) == (Basis.COUNTS, Certainty.LIKELY)


def test_parts_of_the_slide_that_may_repeat_each_other_are_told() -> None:
    assert "repeats_possible" not in found({"segmented": 100})
    remark = found({"segmented": 100}, patches=3)["repeats_possible"]
    assert remark.text == "the slide was lost from view 2 times: cells of its 3 parts may be counted twice"


@pytest.mark.parametrize(
    ("mean_um", "cells", "got"),
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
    mean_um: float | None, cells: int, got: str | None, rules: Rules
) -> None:
    remark = found(NORMAL, rules, red_cell_um=mean_um, red_cells_measured=cells).get("red_cell_size")
    expected = f"red cells measure {mean_um} µm, 7.2 expected: check the scale, or the cells are {got} than usual"
    assert (None if remark is None else remark.text) == (None if got is None else expected)


def test_a_site_says_how_large_its_red_cells_are() -> None:
    small = BLOOD.model_copy(update={"red_cell_size": RedCellSizeRule(expected_um=6.0, max_off=0.1, min_cells=10)})
    assert "red_cell_size" in found(NORMAL, small, red_cell_um=7.2, red_cells_measured=10)
    without = BLOOD.model_copy(update={"red_cell_size": None})
    assert found(NORMAL, without, red_cell_um=17.2) == {}


def test_too_many_unsure_cells_are_told() -> None:
    assert found({**NORMAL, UNSURE: 60})["too_many_unsure"].numbers == {"count": 60, "of": 259, "limit": 0.15}


def test_what_the_rules_ask_for_and_the_classifier_cannot_name_is_told() -> None:
    unknown = BLOOD.model_copy(update={"share": (ShareRule(code="x", words="x", of=("eosinofil",), above=0.1),)})
    assert "eosinofil" in found(NORMAL, unknown)["not_judged"].text


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
        assert len(remark.text) <= 500
        assert all(map(math.isfinite, remark.numbers.values()))


@given(st.integers(2, 5000), st.floats(0, 0.5))
def test_the_interval_of_a_variation_holds_it(cells: int, cv: float) -> None:
    estimate = variation(cv, cells)
    assert 0 <= estimate.low <= cv <= estimate.high


def test_the_stages_of_marrow_are_told_and_a_shift_to_the_left_is() -> None:
    stages = ("pronormoblast", "basophilic_normoblast", "polychromatic_normoblast", "orthochromatic_normoblast")
    classes = (*CLASSES, *stages)
    ripe = {"segmented": 200, "band": 100, "metamyelocyte": 60, "myelocyte": 50, "promyelocyte": 20, "blast": 5}
    young = {**ripe, "blast": 400}
    for named, code in ((ripe, "maturation"), (young, "maturation_left_shift")):
        white = Estimator(named, classes, (*WHITE, *stages), {"erythroid": stages}, None)
        remarks = {one.code: one for one in find_findings(counted(named, white=white), MARROW, PROVENANCE)}
        assert f"promyelocyte {named['promyelocyte']}, myelocyte 50" in remarks[code].text
