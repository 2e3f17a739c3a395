from datetime import UTC, datetime
from pathlib import Path

import pytest

from leukoscope.errors import CalibrationError
from leukoscope.optics.size_reference import Reference, ReferenceCells
from leukoscope.specimen.cell import CellInstance, CellKind
from tests.drawings import cell

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def sized(kind: CellKind, diameter_um: float, *, cut: bool = False) -> CellInstance:
    from dataclasses import replace

    return replace(cell(kind, row=10, col=10).instance, diameter_um=diameter_um, touches_border=cut)


def gathered(red_um: float, white_um: float, red: int = 300, white: int = 60) -> ReferenceCells:
    cells = ReferenceCells()
    for specimen in ("a", "b", "c"):
        cells.add(specimen, [sized(CellKind.RBC, red_um)] * (red // 3) + [sized(CellKind.WBC, white_um)] * (white // 3))
    return cells


def test_small_cells_are_shown_larger_and_a_wrong_scale_is_put_right() -> None:
    found = gathered(red_um=6.0, white_um=10.0).measured(0.1, NOW)
    assert found.scale == pytest.approx(1.2)
    assert found.enlarged == pytest.approx(14.0 / 12.0, abs=1e-4)
    assert found.specimens == 3


def test_cells_cut_by_the_edge_say_nothing_about_size() -> None:
    cells = gathered(red_um=7.2, white_um=14.0)
    cells.add("a", [sized(CellKind.WBC, 3.0, cut=True)] * 500)
    assert cells.measured(0.1, NOW).enlarged == 1.0


def test_few_red_cells_leave_the_scale_alone() -> None:
    assert gathered(red_um=6.0, white_um=14.0, red=30).measured(0.1, NOW).scale == 1.0


def test_too_few_white_cells_make_no_reference() -> None:
    with pytest.raises(CalibrationError, match="at least 30 whole white cells for a reference, found 9"):
        gathered(red_um=7.2, white_um=14.0, white=9).measured(0.1, NOW)


def test_what_is_out_of_all_bounds_is_refused_and_says_so() -> None:
    with pytest.raises(CalibrationError, match=r"found them 0\.50 times as large"):
        gathered(red_um=7.2, white_um=7.0).measured(0.1, NOW)


def test_no_cell_is_shown_more_than_a_quarter_larger() -> None:
    assert gathered(red_um=7.2, white_um=10.5).measured(0.1, NOW).enlarged == 1.25


def test_a_reference_reads_back_as_it_was_written(tmp_path: Path) -> None:
    made = gathered(red_um=7.0, white_um=13.0).measured(0.1, NOW)
    (tmp_path / "reference.json").write_bytes(made.as_bytes())
    assert Reference.read(tmp_path / "reference.json") == made


@pytest.mark.parametrize("content", [b"", b"{}", b'{"scale": 3}', b"\xff\xfe"])
def test_a_damaged_reference_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "reference.json"
    path.write_bytes(content)
    with pytest.raises(CalibrationError, match="make it again"):
        Reference.read(path)
