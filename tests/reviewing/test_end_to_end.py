"""What a person decides about a report, from the command line to the receivers."""

import json
import re
import shutil
import sqlite3
from pathlib import Path
from random import Random
from typing import Any

import pytest
from PIL import Image

from leukoscope.delivery import MqttSettings
from leukoscope.messages.report import decode
from leukoscope.outbox.cell_pictures import pictures_of
from leukoscope.outbox.report_lookup import was_named
from leukoscope.outbox.store import Outbox
from leukoscope.reviewing.desk import outbox_at
from leukoscope.reviewing.review import Outcome, take_step
from leukoscope.service.sample_ids import SampleIds, Verdict
from leukoscope.service.sample_register import SampleRegister
from leukoscope.settings import SampleSettings
from leukoscope.system.assets import find_asset
from tests.brokers import HOST, Mosquitto, Subscriber, wait_until
from tests.commands.command_line import leukoscope
from tests.commands.test_run import SIMULATED, write_bench
from tests.delivery.conftest import clock
from tests.messages.examples import IDENTITY


def bench_with_unsure_cells(folder: Path, classifier: Path) -> Path:
    """A bench whose classifier names what it is sure of and nothing else, whatever the network that ships."""
    camera = SIMULATED.replace("seed = 3", "seed = 4")
    models = f'models = {{ classifier = "{classifier}" }}'
    return write_bench(folder, "counting = ", f"{models}\ncounting = ", white_cells=8, camera=camera)


def cautious_classifier(folder: Path) -> Path:
    """The bundle that ships, unsure of what it names with less than 0.96."""
    shutil.copytree(find_asset("models", "classifier"), folder)
    manifest = folder / "manifest.toml"
    manifest.write_text(re.sub(r"(?m)^unsure_below = .*$", "unsure_below = 0.96", manifest.read_text()))
    return folder


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bench that has counted one sample of a few white cells."""
    folder = tmp_path_factory.mktemp("bench")
    bench = bench_with_unsure_cells(folder, cautious_classifier(folder / "classifier"))
    bench.write_text(bench.read_text() + "cells = { pictures = 5 }\n")
    assert leukoscope("run", "--bench", bench, "--samples", "1", "--sample-id", "S-17").code == 0
    return folder


@pytest.fixture
def bench(counted: Path, tmp_path: Path) -> Path:
    """A copy of it, for one test to change."""
    state = tmp_path / "state"
    state.mkdir()
    with sqlite3.connect(counted / "state" / "outbox.sqlite") as there:
        here = sqlite3.connect(state / "outbox.sqlite")
        there.backup(here)
        here.close()
    there.close()
    return bench_with_unsure_cells(tmp_path, counted / "classifier")


def shown(bench: Path, *options: str) -> list[dict[str, Any]]:
    """The report in force, and its cells where they are asked for."""
    outcome = leukoscope("report", "show", report_id(bench), "--bench", bench, "--json", *options)
    assert outcome.code == 0, outcome.err
    return [json.loads(line) for line in outcome.out.splitlines()]


def report_id(bench: Path) -> str:
    return str(json.loads(leukoscope("report", "list", "--bench", bench, "--json").out)["id"])


def counts_of(message: dict[str, Any]) -> dict[str, int]:
    """Every white cell of a report by its class."""
    lines = {line["class"]: line["count"] for line in message["white_cells"]["differential"] if line["count"]}
    return lines | message["white_cells"]["beside"]


def test_the_cells_kept_are_those_of_the_counts(bench: Path) -> None:
    message, *cells = shown(bench, "--cells")
    by_class: dict[str, int] = {}
    for cell in cells:
        by_class[cell["class"]] = by_class.get(cell["class"], 0) + 1
    assert by_class == counts_of(message)
    assert len({cell["cell"] for cell in cells}) == len(cells)


def test_a_relabelled_cell_changes_counts_intervals_correction_findings_and_history(bench: Path) -> None:
    before, *cells = shown(bench, "--cells")
    cell = next(one for one in cells if one["class"] not in ("blast", "unsure"))
    took = leukoscope(
        "report", "review", report_id(bench)[:8], "--bench", bench, "--by", "Dr. Ada", "--relabel",
        f"{cell['cell']}=blast", "--note", "looked at it twice",
    )  # fmt: skip
    assert took.code == 0, took.err
    after, *named = shown(bench, "--cells")
    expected = counts_of(before)
    expected[cell["class"]] -= 1
    expected["blast"] = expected.get("blast", 0) + 1
    assert counts_of(after) == {name: count for name, count in expected.items() if count}
    blasts = [next(one for one in m["white_cells"]["differential"] if one["class"] == "blast") for m in (before, after)]
    assert blasts[1]["low"] > blasts[0]["low"]
    assert after["white_cells"]["differential_corrected"] is None
    assert "this bench is not verified" in after["white_cells"]["not_corrected_because"]
    assert any(finding["code"].startswith("blasts") for finding in after["findings"])
    assert (after["id"], after["version"]) == (before["id"], 2)
    (step,) = after["lifecycle"]["steps"]
    assert (step["by"], step["status"], step["note"]) == ("Dr. Ada", "reviewed", "looked at it twice")
    assert step["changes"] == [{"item": f"cell/{cell['cell']}", "from": cell["class"], "to": "blast"}]
    assert after["lifecycle"]["cells_checked"] == 1
    assert next(one for one in named if one["cell"] == cell["cell"])["checked"]
    assert json.loads((bench.parent / "state" / "reports" / f"report-{after['id']}-v2.json").read_text()) == after


def test_the_new_version_reaches_the_receiver_while_the_device_runs(bench: Path) -> None:
    broker = Mosquitto(bench.parent / "broker").start()
    _, *cells = shown(bench, "--cells")
    cell = next(one["cell"] for one in cells if one["class"] != "blast")
    try:
        with (
            Subscriber(broker.port) as reader,
            Outbox.open(bench.parent / "state" / "outbox.sqlite") as outbox,
        ):
            mqtt = MqttSettings(host=HOST, port=broker.port)
            publisher = mqtt.open(outbox, IDENTITY, now=clock, rng=Random(1))
            publisher.start()
            assert wait_until(lambda: len(reader.payloads("/report")) == 1)
            review(bench, "--relabel", f"{cell}=blast")
            assert wait_until(lambda: len(reader.payloads("/report")) == 2)
            publisher.stop()
    finally:
        broker.kill()
    first, second = (decode(payload) for payload in reader.payloads("/report"))
    assert (first.id, first.version, second.version) == (second.id, 1, 2)
    blasts = [next(line.count for line in one.differential if line.cell_class == "blast") for one in (first, second)]
    assert blasts[1] == blasts[0] + 1
    assert second.life.steps[0].by == "Dr. Ada"


def test_two_people_at_once_do_not_undo_each_other(bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*got: Any) -> Outcome:
        """While one makes up his mind, another is faster."""
        with monkeypatch.context() as as_before:
            as_before.setattr("leukoscope.reviewing.desk.take_step", take_step)
            review(bench, "--relabel", "1=blast")
        return take_step(*got)

    name = report_id(bench)
    monkeypatch.setattr("leukoscope.reviewing.desk.take_step", slow)
    outcome = leukoscope("report", "review", name, "--bench", bench, "--by", "Dr. Bo", "--relabel", "1=monocyte")
    assert outcome.code == 2
    assert "another person has just made version 2" in outcome.err
    (message,) = shown(bench)
    assert [step["by"] for step in message["lifecycle"]["steps"]] == ["Dr. Ada"]


def test_a_cell_that_is_none_leaves_the_denominator(bench: Path) -> None:
    before, *cells = shown(bench, "--cells")
    cell = next(
        one for one in cells if one["class"] in {line["class"] for line in before["white_cells"]["differential"]}
    )
    review(bench, "--relabel", f"{cell['cell']}=smudge")
    (after,) = shown(bench)
    assert after["white_cells"]["counted"] == before["white_cells"]["counted"] - 1
    assert after["white_cells"]["beside"]["smudge"] == before["white_cells"]["beside"].get("smudge", 0) + 1


def test_when_every_cell_was_checked_the_counts_are_all_there_is(bench: Path) -> None:
    (before,) = shown(bench)
    review(bench, "--all-checked")
    after, *cells = shown(bench, "--cells")
    assert after["white_cells"]["differential"] == before["white_cells"]["differential"]
    assert after["white_cells"]["differential_corrected"] is None
    assert "a person has named or confirmed every cell" in after["white_cells"]["not_corrected_because"]
    assert after["lifecycle"]["cells_checked"] == len(cells)
    assert {finding["basis"] for finding in after["findings"]} <= {"counts", "none"}


def test_a_review_that_names_no_cell_changes_no_number(bench: Path) -> None:
    (before,) = shown(bench)
    review(bench)
    (after,) = shown(bench)
    assert after["lifecycle"]["status"] == "reviewed"
    for part in ("white_cells", "findings", "red_cells", "sample"):
        assert after[part] == before[part]


def test_a_report_is_signed_and_later_changes_are_marked(bench: Path) -> None:
    name = report_id(bench)
    review(bench, "--all-checked")
    for command, options in (
        ("finalise", ["--by", "Dr. Ada"]),
        ("amend", ["--by", "Dr. Bo", "--note", "clinic asks for a second slide"]),
        ("correct", ["--by", "Dr. Bo", "--note", "wrong label on the slide", "--sample-id", "S-18"]),
    ):
        outcome = leukoscope("report", command, name, "--bench", bench, *options)
        assert outcome.code == 0, outcome.err
    (message,) = shown(bench)
    assert [step["status"] for step in message["lifecycle"]["steps"]] == ["reviewed", "final", "amended", "corrected"]
    assert (message["version"], message["sample"]["sample_id"]) == (5, "S-18")
    waiting = leukoscope("outbox", "list", "--bench", bench, "--json")
    versions = [json.loads(line)["version"] for line in waiting.out.splitlines() if '"report"' in line]
    assert versions == [1, 2, 3, 4, 5]
    trail = [json.loads(line) for line in leukoscope("audit", "list", "--bench", bench, "--json").out.splitlines()]
    assert [entry["action"] for entry in trail] == ["recorded", "review", "finalise", "amend", "correct"]
    assert leukoscope("audit", "verify", "--bench", bench).code == 0


def test_a_report_that_cannot_be_read_is_named_and_hides_no_other(bench: Path) -> None:
    first = report_id(bench)
    assert leukoscope("run", "--bench", bench, "--samples", "1", "--sample-id", "S-18").code == 0
    with sqlite3.connect(bench.parent / "state" / "outbox.sqlite") as sql:
        sql.execute("UPDATE message SET payload = x'7b7d' WHERE id = ?", (first,))
    outcome = leukoscope("report", "list", "--bench", bench, "--json")
    assert outcome.code == 2
    assert [json.loads(line)["sample_id"] for line in outcome.out.splitlines()] == ["S-18"]
    assert f"report {first} v1 cannot be read" in outcome.err


def test_a_name_that_another_report_bears_is_given_only_when_a_person_says_so(bench: Path) -> None:
    """And a scanner asks before it takes a name that was given afterwards."""
    first = report_id(bench)
    assert leukoscope("run", "--bench", bench, "--samples", "1", "--sample-id", "S-18").code == 0
    ids = [json.loads(line)["id"] for line in leukoscope("report", "list", "--bench", bench, "--json").out.splitlines()]
    (second,) = set(ids) - {first}
    review = ("report", "review", second, "--bench", bench, "--by", "Dr. Ada", "--sample-id")
    outcome = leukoscope(*review, "S-17")
    assert outcome.code == 2
    assert f"report {first} is of a specimen called 'S-17', too" in outcome.err
    assert leukoscope(*review, "S-19").code == 0
    with outbox_at(bench) as outbox:
        assert [was_named(outbox, name) for name in ("S-17", "S-18", "S-19")] == [False, False, True]
        names = SampleIds(SampleSettings(), SampleRegister(bench.parent / "none"), lambda name: was_named(outbox, name))
        assert [names.offer(name, 0.0) for name in ("S-19", "S-20")] == [Verdict.USED_BEFORE, Verdict.TAKEN]
    again = ("report", "review", second, "--bench", bench, "--by", "Dr. Ada", "--sample-id", "S-17", "--again")
    assert leukoscope(*again).code == 0


@pytest.mark.parametrize(
    ("command", "options", "got"),
    [
        ("finalise", [], "is preliminary, and finalise starts from reviewed: review it first"),
        ("amend", ["--note", "x"], "it is not signed yet"),
        ("review", ["--relabel", "9999=blast"], "has no cell 9999"),
        ("review", ["--relabel", "1=blaast"], "blaast: expected a class of"),
        ("review", ["--relabel", "blast"], "expected CELL=CLASS such as 17=blast"),
        ("review", ["--relabel", "1=blast,1=monocyte"], "is called both blast and monocyte"),
        ("review", ["--relabel", "1=blast", "--confirm", "1"], "both relabelled and confirmed"),
        ("correct", ["--note", "x"], "correct changes nothing"),
        ("review", ["--sample-id", "x" * 65], "expected 1 to 64 printable characters"),
        ("finalise", ["--note", "x" * 2001], "expected at most 2000 characters"),
        ("correct", ["--note", " ", "--relabel", "1=blast"], "needs a reason"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name_and_changes_nothing(
    bench: Path, command: str, options: list[str], got: str
) -> None:
    before = leukoscope("audit", "list", "--bench", bench, "--json").out
    outcome = leukoscope("report", command, report_id(bench), "--bench", bench, "--by", "Dr. Ada", *options)
    assert outcome.code == 2
    assert got in outcome.err
    assert len(outcome.err.splitlines()) == 1
    assert leukoscope("audit", "list", "--bench", bench, "--json").out == before


def test_a_file_of_a_report_that_was_changed_is_told_and_not_exported(bench: Path, tmp_path: Path) -> None:
    review(bench)
    (path,) = (bench.parent / "state" / "reports").glob("*-v2.json")
    out = tmp_path / "table.csv"
    export = ("export", report_id(bench), "--as", "csv", "--bench", bench, "--out", out)
    assert leukoscope("audit", "verify", "--bench", bench).code == 0
    assert leukoscope(*export).code == 0
    recorded = out.read_bytes()
    out.unlink()
    right = path.read_bytes()
    path.write_bytes(right.replace(b'"platelets":{"counted":', b'"platelets":{"counted":1'))
    # By its id the report comes from the outbox.
    assert leukoscope(*export).code == 0
    assert out.read_bytes() == recorded
    out.unlink()
    for command in (("audit", "verify", "--bench", bench), ("export", path, "--as", "csv", "--out", out)):
        outcome = leukoscope(*command)
        assert outcome.code == 2
        assert f"{path} is not the report that was recorded" in outcome.err
        assert len(outcome.err.splitlines()) == 1
    assert not out.exists()
    path.write_bytes(right)
    assert leukoscope("audit", "verify", "--bench", bench).code == 0


def test_a_signed_report_is_not_reviewed_again(bench: Path) -> None:
    review(bench, "--all-checked")
    name = report_id(bench)
    assert leukoscope("report", "finalise", name, "--bench", bench, "--by", "Dr. Ada").code == 0
    outcome = leukoscope("report", "review", name, "--bench", bench, "--by", "Dr. Bo", "--relabel", "1=blast")
    assert outcome.code == 2
    assert "it is signed: use correct" in outcome.err


def test_the_pages_for_people_show_counts_history_and_cells(bench: Path) -> None:
    review(bench, "--relabel", "1=blast")
    page = leukoscope("report", "show", report_id(bench), "--bench", bench, "--cells")
    assert "corrected" in page.out
    assert "reviewed by Dr. Ada" in page.out.replace("\n", " ")
    assert "person" in page.out
    assert "reviewed" in leukoscope("report", "list", "--bench", bench).out
    trail = leukoscope("audit", "list", "--bench", bench).out
    assert "Dr. Ada" in trail
    assert "cell/1" in trail


def test_the_pictures_of_a_reports_cells_are_there_to_look_at(bench: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cells"
    outcome = leukoscope("report", "pictures", report_id(bench), "--bench", bench, "--to", folder)
    assert outcome.code == 0, outcome.err
    _, *cells = shown(bench, "--cells")
    least_sure = sorted(cells, key=lambda one: one["confidence"])[:5]
    names = sorted(f"cell-{one['cell']:05d}-{one['classifier']}.webp" for one in least_sure)
    assert sorted(path.name for path in folder.iterdir()) == names
    for path in folder.iterdir():
        assert path.stat().st_size <= 8192
        with Image.open(path) as picture:
            assert picture.format == "WEBP"


def test_pictures_go_by_what_a_person_called_the_cell_from_that_version_on(bench: Path, tmp_path: Path) -> None:
    identifier = report_id(bench)
    _, *cells = shown(bench, "--cells")
    cell = min(cells, key=lambda one: one["confidence"])
    name = "basophil" if cell["class"] != "basophil" else "eosinophil"
    review(bench, "--relabel", f"{cell['cell']}={name}")
    with Outbox.open(bench.parent / "state" / "outbox.sqlite") as outbox:
        first, second = ({one.number: one.name for one in pictures_of(outbox, identifier, n)} for n in (1, 2))
    assert (first[cell["cell"]], second[cell["cell"]]) == (cell["class"], name)
    assert {number: said for number, said in second.items() if first[number] != said} == {cell["cell"]: name}
    page = tmp_path / "page.html"
    assert leukoscope("export", identifier, "--as", "html", "--bench", bench, "--out", page).code == 0
    assert f"<figcaption>{name.capitalize()}s</figcaption>" in page.read_text()


def test_cells_that_a_person_named_are_written_for_a_classifier_to_learn_from(bench: Path, tmp_path: Path) -> None:
    folder = tmp_path / "named"
    ask = ("report", "pictures", report_id(bench), "--bench", bench, "--to", folder, "--named")
    outcome = leukoscope(*ask)
    assert outcome.code == 2
    assert "nobody has named or confirmed a pictured cell" in outcome.err
    assert not folder.exists()
    with Outbox.open(bench.parent / "state" / "outbox.sqlite") as outbox:
        first, second, awaiting_redelivery, *_ = (one.number for one in pictures_of(outbox, report_id(bench), 1))
    names = {first: "promyelocyte", second: "blast", awaiting_redelivery: "unsure"}
    review(bench, *(decision for number, name in names.items() for decision in ("--relabel", f"{number}={name}")))
    # What is confirmed keeps its name and is a person's word, too.
    review(bench, "--confirm", str(second))
    outcome = leukoscope(*ask)
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("SIMULATED · 2 pictures in ")
    specimen = report_id(bench)
    assert set(folder.rglob("*.png")) == {
        Path(folder, names[number], specimen, f"cell-{number:05d}.png") for number in (first, second)
    }


def test_an_unknown_report_is_told(bench: Path) -> None:
    outcome = leukoscope("report", "show", "ffffffff", "--bench", bench)
    assert outcome.code == 2
    assert "no report begins with 'ffffffff'" in outcome.err


def review(bench: Path, *options: str) -> None:
    outcome = leukoscope("report", "review", report_id(bench), "--bench", bench, "--by", "Dr. Ada", *options)
    assert outcome.code == 0, outcome.err
