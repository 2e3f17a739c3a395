"""Pictures of fields are found by report and number, and take no more room than they are given."""

import os
from pathlib import Path
from uuid import UUID

from leukoscope.outbox.field_pictures import FieldPictures
from tests.commands.command_line import leukoscope
from tests.commands.test_run import read_report, write_bench


def report_id(number: int) -> str:
    return str(UUID(int=number))


def test_a_field_is_found_with_the_size_in_which_its_cells_are_given(tmp_path: Path) -> None:
    kept = FieldPictures(tmp_path)
    kept.keep(report_id(1), 12, b"jpeg", 4056, 3040)
    found = kept.find(report_id(1), 12)
    assert found is not None
    assert (found.path.read_bytes(), found.cols, found.rows) == (b"jpeg", 4056, 3040)
    assert kept.find(report_id(1), 1) is None
    assert kept.find(report_id(2), 12) is None
    kept.forget(report_id(1))
    assert kept.find(report_id(1), 12) is None


def test_no_report_is_called_a_path(tmp_path: Path) -> None:
    (tmp_path / "00001-10x10.jpg").write_bytes(b"another's")
    (tmp_path / "fields-around").mkdir()
    assert FieldPictures(tmp_path).find("..", 1) is None


def test_the_oldest_reports_make_room(tmp_path: Path) -> None:
    kept = FieldPictures(tmp_path)
    kept.make_room(0)
    for number in (1, 2, 3):
        kept.keep(report_id(number), 1, bytes(1000), 100, 100)
        os.utime(tmp_path / "fields-around" / report_id(number), (number, number))
    kept.make_room(2500)
    assert [kept.find(report_id(number), 1) is not None for number in (1, 2, 3)] == [False, True, True]
    kept.make_room(0)
    assert list((tmp_path / "fields-around").iterdir()) == []


def test_a_bench_keeps_so_many_fields_of_a_sample_as_the_settings_say(tmp_path: Path) -> None:
    bench = write_bench(tmp_path, white_cells=6)
    bench.write_text(bench.read_text() + "[cells]\npictures = 20\nfields = 2\n")
    assert leukoscope("run", "--bench", bench, "--samples", "1").code == 0
    files = list((tmp_path / "state" / "fields-around" / read_report(tmp_path)["id"]).glob("*.jpg"))
    assert len(files) == 2
    assert all(path.read_bytes().startswith(b"\xff\xd8") for path in files)
