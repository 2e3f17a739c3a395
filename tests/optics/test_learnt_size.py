"""A bench learns how large its white cells usually are from its first specimens, never from the one being counted."""

from pathlib import Path

import pytest

from leukoscope.errors import CalibrationError
from leukoscope.optics.learnt_size import ENOUGH_SPECIMENS, FILE, LearntSize
from leukoscope.specimen.sample import CellSizes


def taught(*white_um: float) -> LearntSize:
    learnt = LearntSize(calibration="bench-1", segmenter="a" * 64)
    for number, size in enumerate(white_um):
        learnt = learnt.with_sample(f"report-{number}", f"S-{number}", CellSizes(size, 40))
    return learnt


def in_force(*white_um: float) -> LearntSize:
    return taught(*white_um).model_copy(update={"in_force": True})


def test_cells_are_shown_so_that_the_median_specimen_has_the_size_that_networks_know() -> None:
    reference = in_force(12.5, 12.8, 11.0, 19.0, 12.4).reference
    assert reference is not None
    # 14 µm over the median specimen's 12.5: neither the small nor the leukaemic one counts for more than its place.
    assert reference.enlarged == pytest.approx(14 / 12.5, abs=1e-4)
    assert reference.specimens == ENOUGH_SPECIMENS


def test_no_more_than_a_quarter_is_made_of_it() -> None:
    reference = in_force(*[10.5] * ENOUGH_SPECIMENS).reference
    assert reference is not None
    assert reference.enlarged == 1.25


def test_nothing_is_in_force_before_a_start_has_adopted_it() -> None:
    assert taught(12.5, 12.8, 11.0, 12.0).complete is False
    complete = taught(12.5, 12.8, 11.0, 12.0, 12.4)
    assert complete.complete
    assert complete.reference is None


def test_a_specimen_counts_once_and_a_sixth_changes_nothing() -> None:
    learnt = taught(12.5).with_sample("again", "S-0", CellSizes(13.5, 40))
    assert [one.white_um for one in learnt.specimens] == [13.5]
    complete = taught(12.5, 12.8, 11.0, 12.0, 12.4)
    assert complete.with_sample("more", "S-9", CellSizes(18.0, 40)) == complete


@pytest.mark.parametrize("sizes", [CellSizes(None, 0), CellSizes(12.0, 19)])
def test_a_sample_of_few_white_cells_teaches_nothing(sizes: CellSizes) -> None:
    assert taught().with_sample("r", "S", sizes) == taught()


def test_cells_far_from_their_size_are_a_wrong_scale() -> None:
    with pytest.raises(CalibrationError, match=r"white cells of 5 specimens measure 8\.0 µm.*check the scale"):
        _ = in_force(*[8.0] * ENOUGH_SPECIMENS).reference


def test_another_calibration_or_segmenter_begins_anew(tmp_path: Path) -> None:
    learnt = in_force(12.5, 12.8, 11.0, 12.0, 12.4)
    learnt.write(tmp_path)
    assert LearntSize.read(tmp_path, "bench-1", "a" * 64) == learnt
    assert LearntSize.read(tmp_path, "bench-2", "a" * 64).specimens == ()
    assert LearntSize.read(tmp_path, "bench-1", "b" * 64).specimens == ()
    assert LearntSize.read(tmp_path / "new", "bench-1", "a" * 64).specimens == ()


def test_a_damaged_file_is_named_and_stays(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"calibration": 1}')
    with pytest.raises(CalibrationError, match="is damaged") as error:
        LearntSize.read(tmp_path, "bench-1", "a" * 64)
    assert "move it away" in error.value.todo
    assert (tmp_path / FILE).exists()
