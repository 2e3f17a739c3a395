"""Numbers made anew by the rules of the first time."""

import json
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukoscope.specimen.cell import UNSURE
from leukoscope.specimen.sample import Verification
from leukoscope.statistics.false_alarms import FalseShare
from leukoscope.statistics.recount import Grounds, recount
from tests.counting.test_tally import CLASSES, RULES, UNKNOWING, knowing, report_of, tally_of, white
from tests.drawings import cell, counted

KNOWING = knowing()
NAMES = [*(one.key for one in CLASSES), UNSURE]


def share_of(report, name):
    return next(one for one in report.differential_corrected.classes if one.name == name)


def sample_of(names, naming=KNOWING):
    return report_of(tally_of(counted(*map(white, names), *[cell(side=30 + n) for n in range(9)]), naming=naming))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.booleans())
def test_a_recount_of_the_same_names_is_the_same_report(seed, validated):
    rng = random.Random(seed)
    naming = KNOWING if validated else UNKNOWING
    names = [rng.choice(NAMES) for _ in range(rng.randrange(40))]
    report = sample_of(names, naming)
    grounds = Grounds.from_json(Grounds(naming, 0.10, RULES).to_json())
    assert recount(report, grounds, Counter(names), {}) == report


def test_grounds_are_the_same_bytes_each_time():
    grounds = Grounds(KNOWING, 0.10, RULES)
    assert Grounds.from_json(grounds.to_json()).to_json() == grounds.to_json()


def test_what_a_person_said_has_no_error_of_naming():
    """Ten blasts of 100 may be misnamed segmented cells, as the validation says; ten that were looked at are not."""
    names = {"segmented": 90, "blast": 10}
    report = sample_of(["segmented"] * 90 + ["blast"] * 10)
    grounds = Grounds(KNOWING, 0.10, RULES)
    checked = recount(report, grounds, {"segmented": 90}, {"blast": 10})
    assert checked.differential == report.differential
    assert share_of(report, "blast").low < 0.001
    assert share_of(checked, "blast").low > 0.04
    assert "a person has named or confirmed" in checked.differential_corrected.method
    everything = recount(report, grounds, {}, names)
    assert everything.differential_corrected is None
    assert {finding.basis.value for finding in everything.findings} <= {"counts", "none"}


def test_white_cells_per_thousand_red_ones_follow_what_a_person_called_them():
    report = sample_of(["segmented"] * 6 + ["erythroblast"] * 2 + [UNSURE])
    grounds = Grounds(KNOWING, 0.10, RULES)
    corrected = recount(report, grounds, {"segmented": 4, UNSURE: 1}, {"smudge": 2, "erythroblast": 1, "blast": 1})
    assert report.wbc_per_1000_rbc == pytest.approx(1000 * 7 / 9)
    assert corrected.wbc_per_1000_rbc == pytest.approx(1000 * 6 / 9)
    again = recount(corrected, grounds, {"segmented": 6, "erythroblast": 2, UNSURE: 1}, {})
    assert again.wbc_per_1000_rbc == pytest.approx(report.wbc_per_1000_rbc)


def test_a_checked_cell_that_nobody_can_name_stays_the_classifiers_matter():
    report = sample_of(["segmented"] * 9 + [UNSURE])
    grounds = Grounds(KNOWING, 0.10, RULES)
    assert recount(report, grounds, {"segmented": 9}, {UNSURE: 1}).differential_corrected == (
        report.differential_corrected
    )


@pytest.mark.parametrize("names", [{"smudge": 3}, {}])
def test_a_sample_of_which_no_white_cell_is_left_says_so(names):
    report = sample_of(["segmented"] * 3)
    after = recount(report, Grounds(KNOWING, 0.10, RULES), {}, names)
    assert (after.white_cells, after.not_corrected_because) == (0, "no white cells were counted")
    assert after.red_cells == report.red_cells


def test_what_a_verified_bench_rests_on_comes_back_with_the_grounds_and_stands_in_the_report():
    said = Verification(120, 3, datetime(2026, 11, 20, tzinfo=UTC), ("Dr. Ada", "Dr. Bo"))
    false = {"blast": FalseShare(0.05), "promyelocyte": FalseShare(0.02, 110.0)}
    naming = replace(KNOWING, verification=said, false_suspects=false, false_names={"blast": FalseShare(0.01, 110.0)})
    again = Grounds.from_json(Grounds(naming, 0.10, RULES).to_json()).naming
    assert (again.verification, again.false_suspects, again.false_names) == (said, false, naming.false_names)
    corrected = sample_of(["segmented"] * 60 + ["lymphocyte"] * 40, naming).differential_corrected
    assert corrected.verification == said
    assert "Verified on this bench, 2026-11-20, by Dr. Ada, Dr. Bo, 120 cells of 3 specimens" in corrected.method


def test_grounds_of_an_earlier_version_are_read_and_correct_nothing():
    """Up to 0.1.0 a report was corrected by other laboratories alone, of which the grounds held the rows."""
    content = json.loads(Grounds(KNOWING, 0.10, RULES).to_json())
    for key in ("verified", "not_verified", "false_suspects"):
        del content[key]
    content["confusion"] = {"classes": ["segmented"], "worth": [[1.0]]}
    read = Grounds.from_json(json.dumps(content).encode())
    assert read.naming.correction is None
    assert "not verified" in read.naming.not_verified
