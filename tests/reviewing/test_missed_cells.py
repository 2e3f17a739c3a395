"""A white cell that the device missed is added by a person, counted like the others, and none is counted twice."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from leukoscope.messages.command import MOST_REVIEW_BYTES
from leukoscope.messages.json_format import validate
from leukoscope.messages.report import decode
from leukoscope.outbox.cell_pictures import PictureFacts
from leukoscope.outbox.field_pictures import FieldPictures
from leukoscope.outbox.store import Outbox
from leukoscope.outbox.white_cells import Named
from leukoscope.reviewing.bench_verification import checked_reports
from leukoscope.reviewing.desk import desk_at
from leukoscope.reviewing.missed_cells import SIDE_UM, FieldMap
from leukoscope.specimen.census import CellRecord
from leukoscope.specimen.lifecycle import Change
from leukoscope.specimen.place import Place
from leukoscope.system.clock import utc_now
from tests.commands.command_line import leukoscope
from tests.commands.test_run import write_bench
from tests.messages.examples import report as example
from tests.messages.test_commands import command
from tests.reviewing.test_end_to_end import counts_of, report_id, shown
from tests.reviewing.test_from_afar import Device, signing


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bench that has counted overlapping fields, with pictures of cells and fields."""
    folder = tmp_path_factory.mktemp("bench")
    bench = write_bench(folder, white_cells=6)
    bench.write_text(bench.read_text() + "cells = { pictures = 100, fields = 60 }\n")
    assert leukoscope("run", "--bench", bench, "--samples", "1", "--sample-id", "S-17").code == 0
    return folder


@pytest.fixture
def bench(counted: Path, tmp_path: Path) -> Path:
    """A copy of it, for one test to change."""
    shutil.copytree(counted / "state", tmp_path / "state")
    bench = write_bench(tmp_path, white_cells=6)
    bench.write_text(bench.read_text() + "cells = { pictures = 100, fields = 60 }\n")
    return bench


def map_of(bench: Path) -> tuple[FieldMap, list[dict[str, Any]]]:
    with desk_at(bench) as desk:
        ((report, _),) = desk.reports(1)
        kept = desk.cells(report.id)
        assert kept is not None
        made = desk.field_map(report)
        assert made is not None
        return made, shown(bench, "--cells")[1:]


def empty_place(bench: Path) -> tuple[int, int, int]:
    """Field, x and y of a place where no white cell was found and a whole one would fit."""
    made, _ = map_of(bench)
    with desk_at(bench) as desk:
        kept = desk.cells(desk.reports(1)[0][0].id)
        assert kept is not None
        for field, (cols, rows) in made.sizes.items():
            for x in range(100, cols - 100, 40):
                for y in range(100, rows - 100, 40):
                    near = [(x + dx, y + dy) for dx in (-50, 0, 50) for dy in (-50, 0, 50)]
                    if not any(made.cell_at(kept.cells, field, *point) for point in near):
                        return field, x, y
    raise AssertionError("every field is full of cells")


def add(bench: Path, *missed: str, action: str = "review") -> tuple[int, str]:
    outcome = leukoscope(
        "report", action, report_id(bench), "--bench", bench, "--by", "Dr. Ada", "--missed", ",".join(missed),
        "--note", "seen in the field",
    )  # fmt: skip
    return outcome.code, outcome.err


def test_an_added_cell_enters_counts_shares_history_and_the_bench_does_not_learn_from_it(bench: Path) -> None:
    before, *cells = shown(bench, "--cells")
    field, x, y = empty_place(bench)
    assert add(bench, f"{field}/{x}/{y}=blast") == (0, "")
    after, *named = shown(bench, "--cells")
    validate(after)
    expected = counts_of(before)
    expected["blast"] = expected.get("blast", 0) + 1
    assert counts_of(after) == expected
    assert after["white_cells"]["counted"] == before["white_cells"]["counted"] + 1
    assert sum(one["share"] for one in after["white_cells"]["differential"]) == pytest.approx(1)
    assert after["red_cells"]["counted"] == before["red_cells"]["counted"]
    number = len(cells) + 1
    assert after["lifecycle"]["steps"][0]["changes"] == [
        {"item": f"cell/{number}", "from": f"missed/{field}/{x}/{y}", "to": "blast"}
    ]
    assert (after["lifecycle"]["cells_checked"], decode(json.dumps(after).encode()).life.cells_added) == (1, 1)
    assert named[-1] | {"box": None} == {
        "cell": number, "class": "blast", "checked": True, "classifier": "", "confidence": 0.0, "suspect": [],
        "field": field, "box": None,
    }  # fmt: skip
    with desk_at(bench) as desk:
        assert list(checked_reports(desk, {})) == [], "the classifier answered nothing about it"
    text = leukoscope("report", "show", report_id(bench), "--bench", bench, "--cells").out
    assert "1 of them missed by the device" in " ".join(text.split())
    page = bench.parent / "report.html"
    assert leukoscope("export", report_id(bench), "--as", "html", "--bench", bench, "--out", page).code == 0
    assert "1 of them missed by the device and added by a person" in page.read_text()


def test_an_added_cell_is_named_otherwise_like_any_other_and_taken_back_as_an_artefact(bench: Path) -> None:
    field, x, y = empty_place(bench)
    before = counts_of(shown(bench)[0])
    assert add(bench, f"{field}/{x}/{y}=blast")[0] == 0
    number = len(shown(bench, "--cells")) - 1
    done = leukoscope(
        "report", "review", report_id(bench), "--bench", bench, "--by", "B", "--relabel", f"{number}=artefact"
    )
    assert done.code == 0, done.err
    after = counts_of(shown(bench)[0])
    assert after.pop("artefact") == before.pop("artefact", 0) + 1
    assert after == before


def test_a_cell_that_was_found_is_not_added_and_the_fields_of_a_run_have_their_places(bench: Path) -> None:
    made, cells = map_of(bench)
    assert len(made.places) == shown(bench)[0]["fields"]["counted"]
    assert made.sizes.keys() <= made.places.keys()
    assert made.pictures.keys() == {cell["cell"] for cell in cells}
    xmin, ymin, xmax, ymax = cells[0]["box"]
    code, err = add(bench, f"{cells[0]['field']}/{(xmin + xmax) // 2}/{(ymin + ymax) // 2}=blast")
    assert code == 2
    assert "it would be counted twice" in err
    assert shown(bench)[0]["version"] == 1


@pytest.mark.parametrize(
    ("missed", "said"),
    [
        ("999/300/300=blast", "no picture of field 999 is kept"),
        ("{field}/5/300=blast", "may be cut by it"),
        ("{field}/300/99999=blast", "may be cut by it"),
        ("{field}/{x}/{y}=unicorn", "expected a class of"),
        ("{field}/{x}/{y}=blast,{field}/{x}/{y}=band", "it would be counted twice"),
        ("{field},{x}=blast", "expected FIELD/X/Y=CLASS"),
        ("-1/2/3=blast", "expected FIELD/X/Y=CLASS"),
    ],
)
def test_what_cannot_be_added_is_refused_in_words_and_nothing_changes(bench: Path, missed: str, said: str) -> None:
    field, x, y = empty_place(bench)
    code, err = add(bench, missed.format(field=field, x=x, y=y))
    assert code == 2
    assert said in err
    assert shown(bench)[0]["version"] == 1


def test_a_signed_report_is_corrected_by_a_missed_cell(bench: Path) -> None:
    shown_now = shown(bench, "--cells")
    numbers = ",".join(str(one["cell"]) for one in shown_now[1:])
    for words in (("review", "--confirm", numbers), ("finalise",)):
        done = leukoscope("report", words[0], report_id(bench), "--bench", bench, "--by", "Dr. Ada", *words[1:])
        assert done.code == 0, done.err
    field, x, y = empty_place(bench)
    assert add(bench, f"{field}/{x}/{y}=blast", action="correct") == (0, "")
    assert shown(bench)[0]["lifecycle"]["status"] == "corrected"


def test_where_fields_of_an_older_software_lie_is_not_known_so_none_is_added(bench: Path) -> None:
    field, x, y = empty_place(bench)
    (bench.parent / "state" / "fields-around" / report_id(bench) / "places.json").unlink()
    code, err = add(bench, f"{field}/{x}/{y}=blast")
    assert code == 2
    assert "may be counted in another field already" in err


def test_a_change_of_an_older_report_points_at_no_missed_cell() -> None:
    for change in (
        Change("cell/3", "band", "blast"),
        Change("sample_id", "missed/1/2/3", "S"),
        Change("cell/3", "", "x"),
    ):
        assert change.missed_at is None
    assert Change("cell/3", "missed/1/2/3", "blast").missed_at == (1, 2, 3)
    assert example().life.cells_added == 0


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    with Outbox.open(tmp_path / "outbox.sqlite") as outbox:
        made = Device(tmp_path, outbox)
        fields = FieldPictures(tmp_path)
        fields.keep(made.report.id, 3, b"jpeg", 400, 300)
        fields.keep_places(made.report.id, {3: Place(1, 0.0, 0.0)})
        yield made


def test_a_missed_cell_comes_with_a_remote_command_once(device: Device) -> None:
    arguments = signing(device)
    arguments["steps"][0]["missed"] = [{"field": 3, "x": 250, "y": 200, "class": "blast"}]
    payload = command("r-1", "review", arguments=arguments, by="Dr. Ada", issued=utc_now())
    assert len(payload) < MOST_REVIEW_BYTES
    for _ in range(2):
        device.receive(payload)
        (answer,) = device.work()
        assert (answer["outcome"], answer["version"]) == ("done", 3), answer
    assert device.versions == [1, 2, 3]
    life = decode(device.outbox.versions(device.report.id)[-1].payload).life
    assert (life.cells_added, life.cells_looked_at) == (1, 19)


def test_a_remote_command_that_would_count_a_cell_twice_is_refused(device: Device) -> None:
    arguments = signing(device)
    # The made cells lie at 10 to 90 pixels of their field; their drawn discs fill less of that.
    arguments["steps"][0]["missed"] = [{"field": 3, "x": 70, "y": 61, "class": "blast"}]
    device.receive(command("r-2", "review", arguments=arguments, by="Dr. Ada", issued=utc_now()))
    (answer,) = device.work()
    assert (answer["outcome"], answer["reason"]) == ("refused", "review")
    assert "counted twice" in answer["text"]
    assert device.versions == [1]


def test_an_outline_says_what_lies_beside_a_cell_and_a_box_stands_for_it_where_there_is_none() -> None:
    # The picture of the cell begins at the corner of the field, at the scale of the field.
    drawn = PictureFacts.of({"width": 110, "height": 110, "um_per_px": 0.1, "outline": [[10, 10], [90, 10], [10, 90]]})
    made = FieldMap(0.1, {1: (400, 300)}, {}, {7: drawn}, apart=True)
    cell = Named(CellRecord(7, 1, "blast", 0.9, (10, 10, 90, 90)), "blast", False)
    assert made.cell_at([cell], 1, 20, 20) == 7
    assert made.cell_at([cell], 1, 80, 80) is None
    assert replace(made, pictures={}).cell_at([cell], 1, 80, 80) == 7
    # Field 2 lies 300 pixels to the right on the slide and shows the same cell at its left; of field 3 it is not known.
    near = replace(made, places={1: Place(1, 0, 0), 2: Place(1, 0, 300), 3: Place(2, 0, 0)}, pictures={})
    far = replace(cell, record=replace(cell.record, box=(320, 10, 390, 90)))
    assert near.cell_at([far], 2, 55, 50) == 7
    assert near.cell_at([far], 2, 155, 50) is None
    assert near.cell_at([far], 3, 355, 50) is None
    xmin, _, xmax, _ = made.box_of(200, 100)
    assert (xmax - xmin) * made.um_per_px == pytest.approx(SIDE_UM)
