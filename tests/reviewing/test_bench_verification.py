"""A bench is verified by cells that people checked in its own live reports, or it is not."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leukoscope.errors import ReviewError
from leukoscope.reviewing.bench_record import BenchRecord
from leukoscope.reviewing.bench_verification import read_sheet
from leukoscope.reviewing.checked_cells import (
    BenchConditions,
    CheckedCell,
    CheckedReport,
    drawn_cells,
    in_drawing_order,
)
from leukoscope.service.bench_naming import naming_on
from leukoscope.specimen.sample import Source
from leukoscope.statistics.false_alarms import FalseShare
from tests.commands.test_naming import validated_bundle

NOW = BenchConditions("a" * 64, "bench-3", "picamera 0 1280x960")
DAY = datetime(2026, 11, 20, 9, tzinfo=UTC)


def checked(number: int, many: int = 40, /, **changes: object) -> CheckedReport:
    """A report of forty cells that a person checked, four of them named wrongly."""
    names = ["segmented", "lymphocyte", "monocyte", "blast"]
    rows = tuple(
        CheckedCell(number=cell, truth=names[cell % 4], answer="unsure" if cell % 10 == 0 else names[cell % 4])
        for cell in range(1, many + 1)
    )
    fields: dict[str, Any] = {
        "report": f"report-{number}",
        "version": 2,
        "specimen": f"S-{number}",
        "source": Source.LIVE,
        "classifier": NOW.classifier,
        "calibration": NOW.calibration,
        "camera": NOW.camera,
        "by": ("Dr. Ada",),
        "at": DAY,
        "cells": rows,
        **changes,
    }
    # Every cell was checked, so that all stand for the report.
    fields.setdefault("drawn", tuple(cell.number for cell in fields["cells"]))
    return CheckedReport.model_validate(fields)


def record_of(*reports: CheckedReport) -> BenchRecord:
    return BenchRecord().with_reports(reports)


def test_a_hundred_cells_of_three_specimens_verify_a_bench() -> None:
    progress = record_of(checked(1), checked(2), checked(3)).progress(NOW)
    assert progress.verified
    assert progress.verification is not None
    assert (progress.verification.cells, progress.verification.specimens) == (120, 3)
    assert progress.verification.by == ("Dr. Ada",)


@pytest.mark.parametrize(
    ("reports", "missing"),
    [
        ((), "100 more checked cells and cells of 3 more specimens"),
        ((checked(1, 200),), "cells of 2 more specimens"),
        ((checked(1, 10), checked(2, 10), checked(3, 10)), "70 more checked cells"),
        ((checked(1), checked(2), checked(3, specimen="S-1")), "cells of 1 more specimens"),
    ],
)
def test_what_is_missing_is_said(reports: tuple[CheckedReport, ...], missing: str) -> None:
    progress = record_of(*reports).progress(NOW)
    assert not progress.verified
    assert progress.missing == missing


@pytest.mark.parametrize("source", [Source.SIMULATED, Source.REPLAYED])
def test_simulated_and_stored_samples_never_verify_a_bench(source: Source) -> None:
    progress = record_of(*(checked(number, source=source) for number in range(5))).progress(NOW)
    assert (progress.cells, len(progress.not_live)) == ((), 5)
    assert not progress.verified


@pytest.mark.parametrize("what", ["classifier", "calibration", "camera"])
def test_another_classifier_calibration_or_camera_ends_a_verification(what: str) -> None:
    other = {"classifier": "b" * 64, "calibration": "bench-4", "camera": "v4l2 0 640x480"}[what]
    record = record_of(*(checked(number, 40, **{what: other}) for number in range(5)))
    assert not record.progress(NOW).verified
    assert len(record.progress(NOW).expired) == 5


def test_cells_that_people_chose_to_check_stand_for_no_others() -> None:
    # The device is unsure of 8 of 80 cells, and these alone are checked, as a signature asks for.
    order = in_drawing_order("report-1", range(1, 81))
    unsure = set(order[::10])
    assert drawn_cells("report-1", {number: number in unsure for number in order}) == ()
    # Where the rest is checked, too, all stand; and where one is left, those that are drawn before it.
    assert drawn_cells("report-1", dict.fromkeys(order, True)) == tuple(order)
    assert drawn_cells("report-1", {number: number != order[30] for number in order}) == tuple(order[:30])
    record = record_of(*(checked(number, drawn=()) for number in range(5)))
    assert (record.progress(NOW).cells, record.progress(NOW).chosen) == ((), 200)


def test_what_a_bench_names_wrongly_is_the_same_by_chosen_cells_as_by_all_of_them() -> None:
    # Of each report the device is unsure of a tenth; people decide these, and half of the reports in full or blind.
    answers = np.random.default_rng(1).random((60, 100)) < 0.1
    reports = []
    for number, unsure in enumerate(answers):
        order = in_drawing_order(f"report-{number}", range(1, 101))
        looked = {0: 0, 1: 25, 2: 100}.get(number % 4, 0)
        by_person = {cell: bool(unsure[cell - 1]) or cell in order[:looked] for cell in order}
        cells = tuple(
            CheckedCell(number=cell, truth="lymphocyte", answer="unsure" if unsure[cell - 1] else "lymphocyte")
            for cell in order
            if by_person[cell]
        )
        reports.append(checked(number, cells=cells, drawn=drawn_cells(f"report-{number}", by_person)))
    cells = record_of(*reports).progress(NOW).cells
    every = [cell for one in reports for cell in one.cells]
    assert np.mean([cell.answer == "unsure" for cell in cells]) == pytest.approx(answers.mean(), abs=0.015)
    assert np.mean([cell.answer == "unsure" for cell in every]) > 0.2


def test_a_record_of_a_version_that_did_not_say_how_cells_were_chosen_is_read_and_counts_for_nothing(
    tmp_path: Path,
) -> None:
    path = tmp_path / "verification.json"
    record_of(checked(1, drawn=None)).write(path)
    assert '"drawn"' not in path.read_text("utf-8")
    assert BenchRecord.read(path).progress(NOW).chosen == 40


def test_a_later_version_of_a_report_takes_the_place_of_the_earlier_one() -> None:
    record = record_of(checked(1)).with_reports([checked(1, 20, version=3), checked(2)])
    assert [(one.report, len(one.cells)) for one in record.reports] == [("report-1", 20), ("report-2", 40)]


def test_a_record_is_read_back_as_it_was_written_and_a_damaged_one_is_kept_and_named(tmp_path: Path) -> None:
    path = tmp_path / "verification.json"
    assert BenchRecord.read(path).reports == ()
    record = record_of(checked(1), checked(2))
    record.write(path)
    assert BenchRecord.read(path).reports == record.reports
    whole = path.read_bytes()
    for damaged in (
        whole[:-40],
        whole.replace(b'"truth": "blast"', b'"truth": "monocyte"', 1),
        b"\0" * len(whole),
        b"",
    ):
        path.write_bytes(damaged)
        with pytest.raises(ReviewError, match=r"counts as not verified"):
            BenchRecord.read(path)
        assert path.read_bytes() == damaged


def test_a_damaged_record_is_no_verification_and_the_report_says_so(tmp_path: Path) -> None:
    bundle = validated_bundle(tmp_path)
    path = tmp_path / "verification.json"
    record_of(checked(1), checked(2), checked(3)).write(path)
    naming, message = naming_on(bundle, tmp_path, NOW)
    assert naming.correction is not None
    assert naming.verification is not None
    assert message == ""
    path.write_bytes(path.read_bytes()[:-10])
    naming, message = naming_on(bundle, tmp_path, NOW)
    assert naming.correction is None
    assert "damaged" in message
    assert "verification is damaged" in naming.not_verified


def test_an_expired_verification_is_told(tmp_path: Path) -> None:
    record_of(checked(1), checked(2), checked(3)).write(tmp_path / "verification.json")
    naming, message = naming_on(validated_bundle(tmp_path), tmp_path, BenchConditions("c" * 64, "bench-3", NOW.camera))
    assert naming.correction is None
    assert "expired" in message
    assert "expired" in naming.not_verified


def test_each_specimen_has_a_matrix_of_what_people_and_classifier_said(tmp_path: Path) -> None:
    again = checked(4, 20, specimen="S-3")
    nameless = checked(5, 30, specimen="")
    progress = record_of(checked(1), checked(2), checked(3), again, nameless).progress(NOW)
    matrices = progress.matrices(("segmented", "lymphocyte", "monocyte", "blast"))
    assert [np.array(one.counts).sum() for one in matrices] == [40, 40, 60, 30]
    assert sum(np.array(one.counts)[:, -1].sum() for one in matrices) == 4 + 4 + 6 + 3


def test_the_mistakes_of_a_bench_move_the_share_of_the_classifier() -> None:
    """A cell that is named a blast is pointed at, too; one that is a blast is no mistake."""

    def cell(number: int) -> CheckedCell:
        answer = "blast" if number <= 5 else "segmented"
        truth = "blast" if number == 100 else "segmented"
        return CheckedCell(number=number, answer=answer, truth=truth, suspect=("blast",) if 5 < number <= 20 else ())

    cells = tuple(cell(number) for number in range(1, 101))
    progress = record_of(*(checked(number, cells=cells) for number in range(3))).progress(NOW)
    seen = progress.false_suspects({"blast": FalseShare(0.04)})["blast"]
    assert seen.share == pytest.approx((10 * 0.04 + 60) / 307)
    assert seen.cells == 307
    named = progress.false_names(["blast"], FalseShare(0.01))["blast"]
    assert named.share == pytest.approx((10 * 0.01 + 15) / 307)


def test_a_sheet_of_names_is_read_by_report_and_cell(tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [("cell", "name"), ("ab-cd-00007", "blast"), ("ab-cd-00008", ""), ("ef-00001", "band")]
        )
    assert read_sheet(path) == {"ab-cd": {7: "blast"}, "ef": {1: "band"}}
    path.write_text("cell,what\nab-1,blast\n", "utf-8")
    with pytest.raises(ReviewError, match="expected the columns cell, name"):
        read_sheet(path)
