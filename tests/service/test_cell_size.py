"""What a bench has learnt of the size of its cells comes in force at a start, and reports name it."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest import mock

import numpy as np
import pytest

from leukoscope.analysis.classifier import Classifier
from leukoscope.cameras.simulated import SimulatedCamera
from leukoscope.doctor.parts import check_calibration
from leukoscope.errors import CalibrationError
from leukoscope.inference.bundle import Bundle
from leukoscope.messages.report import decode, encode
from leukoscope.optics.learnt_size import ENOUGH_SPECIMENS, FILE, LearntSize
from leukoscope.reviewing.checked_cells import BenchConditions
from leukoscope.service.bench import Bench
from leukoscope.service.bench_naming import conditions_of
from leukoscope.service.report_filing import ReportFiling
from leukoscope.service.sample_progress import made_with
from leukoscope.settings import BenchSettings
from leukoscope.specimen.sample import CellSizes, SampleReport, SizeReference, Source
from leukoscope.system.assets import find_asset
from tests.bundles import classifier_bundle
from tests.commands.command_line import leukoscope
from tests.commands.test_run import read_report, write_bench
from tests.messages.examples import NOW, PROVENANCE, report

REFERENCE = SizeReference("0123456789ab", 1.12, 5)


def filed(bench: Path, made: SampleReport, sizes: CellSizes) -> None:
    settings = BenchSettings.read(bench)
    settings.storage.make_folder()
    filing = ReportFiling(mock.Mock(), mock.Mock(), lambda: NOW)
    filing.cell_sizes(cast("Bench", SimpleNamespace(settings=settings)), made, sizes)


def of_source(source: Source) -> SampleReport:
    return replace(report(), provenance=replace(PROVENANCE, source=source))


def test_a_live_sample_of_blood_teaches(tmp_path: Path) -> None:
    filed(write_bench(tmp_path), of_source(Source.LIVE), CellSizes(12.5, 100))
    (one,) = json.loads((tmp_path / "state" / FILE).read_text())["specimens"]
    assert one == {"report": report().id, "specimen": "S-1", "white_um": 12.5, "white_cells": 100}


@pytest.mark.parametrize("source", [Source.SIMULATED, Source.REPLAYED])
def test_simulated_and_stored_pictures_teach_nothing(tmp_path: Path, source: Source) -> None:
    filed(write_bench(tmp_path), of_source(source), CellSizes(12.5, 100))
    assert not (tmp_path / "state" / FILE).exists()


def test_a_site_may_leave_cells_as_they_are(tmp_path: Path) -> None:
    bench = write_bench(tmp_path)
    bench.write_text(bench.read_text() + 'models = { cell_size = "as_measured" }\n')
    filed(bench, of_source(Source.LIVE), CellSizes(12.5, 100))
    assert not (tmp_path / "state" / FILE).exists()


def teach(bench: Path) -> None:
    """Let the bench have learnt of five specimens."""
    settings = BenchSettings.read(bench)
    settings.storage.make_folder()
    segmenter = Bundle.read(find_asset("models", "segmenter")).digest("onnx")
    learnt = LearntSize(calibration=settings.calibration.open().id, segmenter=segmenter)
    for number in range(ENOUGH_SPECIMENS):
        learnt = learnt.with_sample(f"r-{number}", f"S-{number}", CellSizes(12.5, 40))
    learnt.write(settings.storage.folder)


def test_what_was_learnt_is_in_force_from_the_next_start_on_and_reports_and_doctor_name_it(tmp_path: Path) -> None:
    bench = write_bench(tmp_path)
    teach(bench)
    before = conditions_of(BenchSettings.read(bench), tmp_path)
    asked: list[float] = []
    shown = Classifier.showing_cells

    def showing(self: Classifier, enlarged: float) -> Classifier:
        asked.append(enlarged)
        return shown(self, enlarged)

    with (
        mock.patch.object(SimulatedCamera, "source", Source.LIVE),
        mock.patch.object(Classifier, "showing_cells", showing),
    ):
        outcome = leukoscope("run", "--bench", bench, "--samples", "1")
    assert outcome.code == 0, outcome.err
    assert asked == [1.12]
    reference = read_report(tmp_path)["provenance"]["size_reference"]
    assert (reference["enlarged"], reference["specimens"]) == (1.12, 5)
    # Cells named at another size verify nothing: what people checked before counts no longer.
    after = conditions_of(BenchSettings.read(bench), tmp_path)
    assert after.calibration == f"{before.calibration}, cells as {reference['id']}"
    assert "cells shown 1.12 times as large, as 5 specimens taught" in check_calibration(
        BenchSettings.read(bench), tmp_path
    )


def test_a_sample_in_progress_is_named_to_its_end_as_it_was_begun(tmp_path: Path) -> None:
    bench = write_bench(tmp_path)
    teach(bench)
    with mock.patch("leukoscope.service.bench_naming.find_interrupted", return_value=("one",)):
        assert leukoscope("run", "--bench", bench, "--samples", "1").code == 0
    assert "size_reference" not in read_report(tmp_path)["provenance"]


def test_a_damaged_file_is_shown_and_stops_nothing(tmp_path: Path) -> None:
    bench = write_bench(tmp_path)
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / FILE).write_text("{")
    outcome = leukoscope("run", "--bench", bench, "--samples", "1")
    assert outcome.code == 0, outcome.err
    assert "size_reference" not in read_report(tmp_path)["provenance"]
    with pytest.raises(CalibrationError, match="is damaged"):
        check_calibration(BenchSettings.read(bench), tmp_path)


def test_a_report_says_what_its_cells_were_shown_as() -> None:
    made = replace(report(), provenance=replace(PROVENANCE, size_reference=REFERENCE))
    sent = encode(made, boot_id="b", sequence=1, sent_clock=NOW, clock_synchronised=True)
    assert sent["provenance"]["size_reference"] == {"id": "0123456789ab", "enlarged": 1.12, "specimens": 5}
    assert decode(sent) == made
    assert decode(encode(report(), boot_id="b", sequence=1, sent_clock=NOW, clock_synchronised=True)) == report()


def test_a_sample_goes_on_only_with_cells_shown_as_before() -> None:
    now = replace(PROVENANCE, size_reference=REFERENCE)
    assert made_with(now) != made_with(PROVENANCE)
    assert BenchConditions.of(now) != BenchConditions.of(PROVENANCE)


def test_cells_are_shown_enlarged_as_if_the_scale_were_coarser() -> None:
    seen: list[Any] = []

    class Looks:
        engine = "drawn"

        def run(self, picture: Any) -> dict[str, Any]:
            seen.append(picture)
            return {"logits": np.array([1.0, 0.0], np.float32)}

    pixels = np.random.default_rng(1).integers(0, 255, (160, 160, 3), dtype=np.uint8)
    classifier = Classifier(classifier_bundle(), Looks())
    classifier.showing_cells(1.25).name_crop(pixels, 0.1)
    classifier.name_crop(pixels, 0.125)
    classifier.name_crop(pixels, 0.1)
    half = len(seen) // 3
    assert np.array_equal(seen[0], seen[half])
    assert not np.array_equal(seen[0], seen[2 * half])
