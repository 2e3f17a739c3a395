import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from leukoscope.counting.tally import CountingRules, Naming, Tally
from leukoscope.errors import SettingsError
from leukoscope.inference.bundle import CellClass, ClassifierFacts
from leukoscope.inference.validation import ConfusionMatrix
from leukoscope.specimen.cell import UNSURE, CellKind, ClassifiedCell
from leukoscope.specimen.field import CountedField, Flaw, RejectedField
from leukoscope.specimen.sample import Basis, BundleIdentity, Certainty, Provenance, SampleReport, Source
from leukoscope.specimen.slide import SlideChange
from leukoscope.statistics.laboratories import NamingRecord
from leukoscope.statistics.misclassification import Correction
from leukoscope.statistics.rules import Rules
from tests.drawings import EPOCH, cell, counted, on_a_slide, rejected

CLASSES = (
    CellClass(key="segmented", short="SEG", in_differential=True),
    CellClass(key="lymphocyte", short="LYM", in_differential=True),
    CellClass(key="blast", short="BLA", in_differential=True),
    CellClass(key="erythroblast", short="NRBC", in_differential=False),
    CellClass(key="smudge", short="SMU", in_differential=False),
)
BUNDLE = BundleIdentity("drawn", "1.0.0", "0" * 64, "onnx")
PROVENANCE = Provenance(
    site="ward",
    device="scope",
    software_version="0",
    segmenter=BUNDLE,
    classifier=BUNDLE,
    calibration_id="drawn",
    calibration_measured=True,
    um_per_px=0.2,
    source=Source.LIVE,
    clock_synchronised=True,
    boot_id="boot",
)


def white(cell_class: str, **keywords: object) -> ClassifiedCell:
    return cell(CellKind.WBC, cell_class, **keywords)  # type: ignore[arg-type]


RULES = Rules.shipped()
UNKNOWING = Naming(CLASSES)


def knowing() -> Naming:
    """A classifier that calls one of ten segmented cells a blast, as 500 cells of each class have shown."""
    facts = ClassifierFacts(classes=CLASSES, temperature=1, unsure_below=0.5, groups={"seen": ("segmented", "smudge")})
    named = tuple(one.key for one in CLASSES)
    right = [[500 * (row == column) for column in range(5)] for row in range(5)]
    right[0] = [450, 0, 50, 0, 0]
    counts = tuple(tuple(row) for row in right)
    matrix = ConfusionMatrix(collection="drawn", held_out_by="patient", truth=named, named=named, counts=counts)
    return Naming(CLASSES, facts.groups, Correction(NamingRecord.of((), facts), NamingRecord.of((matrix,), facts)))


def tally_of(*fields: CountedField | RejectedField, goal: int = 100, naming: Naming = UNKNOWING) -> Tally:
    tally = Tally(naming, CountingRules(white_cells=goal), RULES)
    for number, field in enumerate(fields, 1):
        if isinstance(field, RejectedField):
            tally.refuse(field)
        else:
            tally.add(on_a_slide(field, number))
    return tally


def report_of(tally: Tally) -> SampleReport:
    return tally.report(
        report_id="id",
        sample_id="sample",
        started_at=EPOCH,
        finished_at=EPOCH,
        finished_because="technician",
        provenance=PROVENANCE,
    )


def test_erythroblasts_smudges_and_unsure_cells_are_beside_the_differential() -> None:
    field = counted(white("segmented"), white("erythroblast"), white("smudge"), white(UNSURE))
    report = report_of(tally_of(field))
    assert report.white_cells == 1
    assert report.beside == {"erythroblast": 1, "smudge": 1, UNSURE: 1}


def test_a_class_never_seen_is_reported_with_its_upper_limit() -> None:
    report = report_of(tally_of(counted(*[white("segmented")] * 100)))
    blasts = next(line for line in report.differential if line.cell_class == "blast")
    assert blasts.count == 0
    assert blasts.high == pytest.approx(0.0362, abs=1e-4)


def test_a_cell_cut_by_the_right_edge_is_in_no_count() -> None:
    cut = cell(col=284, touches_border=True)
    assert report_of(tally_of(counted(cut, cell()))).red_cells.count == 1


def test_a_cell_cut_by_the_left_edge_counts_but_its_size_does_not() -> None:
    report = report_of(tally_of(counted(cell(col=0, side=10, touches_border=True), cell())))
    assert report.red_cells.count == 2
    assert report.red_cells.mean_diameter_um == pytest.approx(cell().instance.diameter_um, abs=0.005)


def test_a_white_cell_cut_by_the_edge_is_not_in_the_differential() -> None:
    report = report_of(tally_of(counted(white("blast", col=0, touches_border=True), white("segmented"))))
    assert report.white_cells == 1


def test_a_refused_field_counts_under_each_of_its_flaws() -> None:
    report = report_of(tally_of(rejected(Flaw.OUT_OF_FOCUS, Flaw.UNDEREXPOSED), rejected(Flaw.EMPTY)))
    assert report.fields_rejected == {"out_of_focus": 1, "underexposed": 1, "empty": 1}
    assert report.fields_rejected_total == 2
    assert report.fields_counted == 0


def test_the_stop_rule_counts_named_white_cells_only() -> None:
    tally = tally_of(counted(white("segmented"), white(UNSURE), white("smudge")), goal=2)
    assert not tally.enough
    tally.add(on_a_slide(counted(white("lymphocyte")), 2))
    assert tally.enough


def counting_until(**rules: object) -> Tally:
    return Tally(UNKNOWING, CountingRules.model_validate(rules), RULES)


def test_an_interval_that_is_narrow_enough_ends_the_sample_and_the_goal_says_how_far_that_is() -> None:
    tally = counting_until(until="interval", interval_of="blast", interval_width=0.10)
    tally.add(on_a_slide(counted(*[white("segmented")] * 20)))
    assert not tally.enough
    # None of 36 is 0 to 9.7 %, none of 35 is 0 to 10.0003 %.
    assert tally.goal == 36
    tally.add(on_a_slide(counted(*[white("segmented")] * 16), 2))
    assert tally.enough


def test_the_technician_alone_may_end_a_sample() -> None:
    tally = counting_until(until="technician", white_cells=5)
    tally.add(on_a_slide(counted(*[white("segmented")] * 50)))
    assert not tally.enough


def test_the_least_certain_class_is_the_one_that_needs_most_cells() -> None:
    tally = counting_until()
    assert tally.least_certain() is None
    tally.add(on_a_slide(counted(*[white("segmented")] * 60, *[white("lymphocyte")] * 3)))
    wanted = tally.least_certain()
    assert wanted is not None
    assert wanted.cell_class == "segmented"
    assert wanted.count_more > 0


def test_an_interval_of_a_class_that_cannot_be_named_is_refused() -> None:
    with pytest.raises(SettingsError, match="expected one of segmented, lymphocyte, blast, found basophil"):
        counting_until(interval_of="basophil")


def test_counting_until_an_interval_needs_to_know_of_what() -> None:
    with pytest.raises(ValidationError, match="name the class"):
        CountingRules(until="interval")


def test_a_cell_of_which_more_is_known_replaces_what_was_known() -> None:
    tally = tally_of()
    before = on_a_slide(counted(white("segmented")))
    tally.add(before)
    renamed = replace(before.cells[0], detection=replace(before.cells[0].detection, cell_class="lymphocyte"))
    tally.amend(SlideChange(1, -5.0, (renamed,)))
    assert {line.cell_class: line.count for line in tally.differential() if line.count} == {"lymphocyte": 1}
    tally.amend(SlideChange(1, 0.0, (), dropped=(renamed.id,)))
    assert tally.white_cells == 0
    assert tally.kind_count(CellKind.WBC) == 0
    assert tally.area_um2 == pytest.approx(before.new_area_um2 - 5)


def test_white_cells_per_thousand_red_cells() -> None:
    report = report_of(tally_of(counted(white("segmented"), *[cell()] * 200)))
    assert report.wbc_per_1000_rbc == pytest.approx(5.0)


def test_what_is_no_white_cell_by_name_is_none_per_thousand_red_ones_either() -> None:
    names = ["segmented", "blast", UNSURE, "erythroblast", "smudge"]
    report = report_of(tally_of(counted(*map(white, names), *[cell()] * 100)))
    assert report.wbc_per_1000_rbc == pytest.approx(30.0)


def test_a_sample_without_red_cells_has_no_ratio_and_no_sizes() -> None:
    report = report_of(tally_of(counted(white("segmented"))))
    assert report.wbc_per_1000_rbc is None
    assert report.red_cells.mean_diameter_um is None


def test_the_histogram_of_red_cells_holds_every_measured_cell_also_giants() -> None:
    cut = cell(col=0, touches_border=True)
    sizes = [cell(side=6), cell(side=36), cell(side=36), cell(side=200), cut]
    histogram = report_of(tally_of(counted(*sizes))).red_cells.diameters_um
    assert histogram is not None
    assert histogram.total == 4
    at = int((cell(side=36).instance.diameter_um - histogram.start) / histogram.step)
    assert (histogram.counts[0], histogram.counts[at], histogram.counts[-1]) == (1, 2, 1)


def test_too_few_cells_are_told_first_and_blasts_next() -> None:
    codes = [finding.code for finding in report_of(tally_of(counted(white("blast")))).findings]
    assert codes[:2] == ["too_few_cells", "blasts_seen"]


def test_of_a_bench_that_is_not_verified_the_report_says_why_nothing_is_corrected() -> None:
    report = report_of(tally_of(counted(white("segmented"))))
    assert report.differential_corrected is None
    assert report.not_corrected_because is not None
    assert "this bench is not verified" in report.not_corrected_because


def test_without_white_cells_there_is_nothing_to_correct_and_the_report_says_so() -> None:
    report = report_of(tally_of(counted(white("smudge")), naming=knowing()))
    assert report.differential_corrected is None
    assert report.not_corrected_because == "no white cells were counted"


def test_blasts_that_segmented_cells_explain_are_corrected_away_and_still_told() -> None:
    field = counted(*[white("segmented")] * 90, *[white("blast")] * 10)
    report = report_of(tally_of(field, naming=knowing()))
    assert report.not_corrected_because is None
    corrected = report.differential_corrected
    assert corrected is not None
    blasts = next(line for line in corrected.classes if line.name == "blast")
    assert blasts.low < 0.001
    assert blasts.share < 0.05
    assert blasts.validated_cells == 500
    seen = next(finding for finding in report.findings if finding.code == "blasts_seen")
    assert seen.basis is Basis.CORRECTED
    assert seen.certainty is not Certainty.CERTAIN


def test_a_group_of_which_only_some_classes_are_white_cells_counts_those() -> None:
    field = counted(*[white("segmented")] * 90, *[white("lymphocyte")] * 10, *[white("smudge")] * 50)
    corrected = report_of(tally_of(field, naming=knowing())).differential_corrected
    assert corrected is not None
    assert [line.name for line in corrected.groups] == ["seen"]
    assert corrected.groups[0].share == corrected.classes[0].share


def test_a_report_names_the_rules_that_made_its_findings() -> None:
    assert report_of(tally_of(counted(white("segmented")))).rules == RULES.identity


@given(st.integers(0, 2**32 - 1))
def test_the_order_of_fields_never_changes_a_report(seed: int) -> None:
    rng = random.Random(seed)
    names = ["segmented", "lymphocyte", "blast", "smudge", UNSURE]
    fields: list[CountedField | RejectedField] = [
        counted(
            *[white(rng.choice(names), col=rng.randrange(200)) for _ in range(rng.randrange(4))],
            cell(side=rng.randrange(20, 50)),
        )
        for _ in range(5)
    ]
    fields.append(rejected(Flaw.EMPTY))
    shuffled = rng.sample(fields, len(fields))
    assert report_of(tally_of(*fields)) == report_of(tally_of(*shuffled))
