"""`leukoscope adapt`, from pictures to a bundle that the device names cells with."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leukoscope.adapting import fitting
from leukoscope.analysis.golden import replay
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.litert import LitertSettings
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.inference.validation import Validation
from leukoscope.system.assets import find_asset
from tests.commands.command_line import leukoscope, simulated_camera
from tests.commands.test_run import write_bench
from tests.recipes.cell_folders import UM_PER_PX, make_cell_folder

EACH = 15
MEANS = {"lymphocyte": {"lymphocyte"}, "monocyte": {"monocyte"}, "neutrophil": {"segmented", "band"}}
SCALE = ("--um-per-px", UM_PER_PX)


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Simulated cells, named rightly."""
    return make_cell_folder(tmp_path_factory.mktemp("cells"), ("lymphocyte", "monocyte", "segmented"), EACH)


@pytest.fixture(scope="module")
def elsewhere(cells: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same cells as negatives, by a laboratory that does not tell bands apart."""
    folder = tmp_path_factory.mktemp("elsewhere") / "cells"
    for path in cells.rglob("*.png"):
        label, *rest = path.relative_to(cells).parts
        there = folder.joinpath("neutrophil" if label == "segmented" else label, *rest)
        there.parent.mkdir(parents=True)
        Image.fromarray(255 - np.asarray(Image.open(path))).save(there)
    return folder


@pytest.fixture(scope="module")
def fitted(elsewhere: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle fitted to it."""
    folder = tmp_path_factory.mktemp("bundle") / "our-lab"
    outcome = leukoscope("adapt", "our-lab", "--named", elsewhere, *SCALE, "--to", folder)
    assert outcome.code == 0, outcome.err
    assert f"of {3 * EACH} cells, the specimen of each set aside in turn" in outcome.out
    return folder


def test_the_new_bundle_names_cells_as_the_laboratory_does(fitted: Path, elsewhere: Path) -> None:
    def wrong(*options: object) -> int:
        outcome = leukoscope("classify", *sorted(elsewhere.rglob("*.png")), *SCALE, "--json", *options)
        assert outcome.code == 0, outcome.err
        named = [json.loads(line) for line in outcome.out.splitlines()]
        return sum(one["class"] not in MEANS[Path(one["picture"]).parts[-3]] for one in named)

    before = wrong()
    assert before >= EACH
    assert wrong("--classifier", fitted) <= before / 2


def test_cells_of_specimens_set_aside_are_judged(fitted: Path) -> None:
    path = Bundle.read(fitted).validation_path()
    assert path is not None
    *others, matrix = Validation.read(path).matrices
    shipped = Bundle.read(find_asset("models", "classifier")).validation_path()
    assert shipped is not None
    assert tuple(others) == Validation.read(shipped).matrices
    assert (matrix.collection, matrix.truth) == ("our-lab", tuple(MEANS))
    assert [sum(row) for row in matrix.counts] == [EACH, EACH, EACH]
    rows = zip(MEANS.values(), matrix.counts, strict=True)
    right = sum(row[matrix.named.index(key)] for means, row in rows for key in means)
    assert right > 1.5 * EACH


def test_both_engines_decide_alike_with_it(fitted: Path) -> None:
    bundle = Bundle.read(fitted)
    for settings in (OnnxSettings(threads=1), LitertSettings(threads=1)):
        check = replay(bundle, settings.open(bundle))
        assert check.passed
        assert check.decisions > 5


def test_it_is_another_bundle_than_the_one_it_comes_from(fitted: Path) -> None:
    ours, shipped = Bundle.read(fitted), Bundle.read(find_asset("models", "classifier"))
    assert ours.manifest.name == "our-lab"
    assert ours.manifest.classifier == shipped.manifest.classifier
    assert ours.manifest.files == shipped.manifest.files
    # A report must tell the two apart, though the network's file is the same.
    assert ours.digest("onnx") != shipped.digest("onnx")


def test_names_that_bring_nothing_make_no_bundle(cells: Path, tmp_path: Path) -> None:
    for easy in ("lymphocyte", "segmented"):
        shutil.copytree(cells / easy, tmp_path / "cells" / easy)
    outcome = leukoscope("adapt", "our-lab", "--named", tmp_path / "cells", *SCALE, "--to", tmp_path / "our-lab")
    assert outcome.code == 2
    assert "no more than chance would bring" in outcome.err
    assert [path.name for path in tmp_path.iterdir()] == ["cells"]


def test_a_bundle_that_is_there_already_stays(fitted: Path, elsewhere: Path) -> None:
    before = {path.name: path.read_bytes() for path in fitted.iterdir()}
    outcome = leukoscope("adapt", "our-lab", "--named", elsewhere, *SCALE, "--to", fitted)
    assert outcome.code == 2
    assert "is there already: choose another name, or move it away" in outcome.err
    assert {path.name: path.read_bytes() for path in fitted.iterdir()} == before


def test_fields_without_names_make_a_bundle_that_claims_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "FEWEST_UNNAMED", 10)
    fields = tmp_path / "fields" / "slide-1"
    fields.mkdir(parents=True)
    camera = simulated_camera(white_per_1000_rbc=80.0)
    for number in range(8):
        Image.fromarray(camera.capture().pixels).save(fields / f"{number}.png")
    outcome = leukoscope(
        "adapt", "our-lab", "--unnamed", fields.parent, "--um-per-px", 0.127, "--to", tmp_path / "our-lab"
    )
    assert outcome.code == 0, outcome.err
    assert "cells are called otherwise than before" in outcome.out
    assert Bundle.read(tmp_path / "our-lab").validation_path() is None


def test_fields_teach_beside_names(elsewhere: Path, tmp_path: Path) -> None:
    fields = tmp_path / "fields"
    fields.mkdir()
    camera = simulated_camera(white_per_1000_rbc=80.0)
    for number in range(3):
        Image.fromarray(camera.capture().pixels[:, :, [1, 0, 2]]).save(fields / f"{number}.png")
    outcome = leukoscope(
        "adapt", "our-lab", "--named", elsewhere, *SCALE, "--unnamed", fields, "--fields-um-per-px", 0.127,
        "--to", tmp_path / "our-lab",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    assert re.search(r"; [1-9]\d* unnamed cells taught it, too", outcome.out)
    assert Bundle.read(tmp_path / "our-lab").validation_path() is not None


def test_beside_enough_names_unnamed_cells_do_not_teach(
    elsewhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "ENOUGH_NAMED", 3 * EACH)
    Image.fromarray(simulated_camera(white_per_1000_rbc=80.0).capture().pixels).save(tmp_path / "field.png")
    outcome = leukoscope(
        "adapt", "our-lab", "--named", elsewhere, *SCALE, "--unnamed", tmp_path, "--to", tmp_path / "our-lab"
    )
    assert outcome.code == 0, outcome.err
    assert "unnamed cells are not needed beside 45 names" in outcome.out


def test_too_few_unnamed_cells_are_refused_with_what_was_found(tmp_path: Path) -> None:
    Image.fromarray(simulated_camera().capture().pixels).save(tmp_path / "field.png")
    outcome = leukoscope("adapt", "our-lab", "--unnamed", tmp_path, "--um-per-px", 0.127, "--to", tmp_path / "our-lab")
    assert outcome.code == 2
    assert "expected 128 whole white cells or more, found" in outcome.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("Our Lab", "--named", "F", *SCALE), "no bundle can be called 'Our Lab'"),
        (("our-lab", *SCALE), "expected --bench, or --named and --unnamed, or one of these"),
        (("our-lab", "--named", "F", "--bench", "F", *SCALE), "expected --bench, or --named and --unnamed, or one"),
        (("our-lab", "--named", "F"), "expected --um-per-px with --named and --unnamed"),
        (("our-lab", "--named", "F/nowhere", *SCALE), "nowhere, found no folder there"),
        (("our-lab", "--named", "F/monocyte", *SCALE), "expected folders named after classes (artefact, band, "),
        (("our-lab", "--named", "F", "--um-per-px", 0.05), "expected 9.6 µm around the cell or more"),
        (("our-lab", "--named", "F", *SCALE, "--like", "segmenter"), "is a segmenter, a classifier was expected"),
    ],
)
def test_what_cannot_be_meant_is_refused_plainly(cells: Path, options: tuple[object, ...], message: str) -> None:
    outcome = leukoscope("adapt", *(str(one).replace("F", str(cells), 1) for one in options))
    assert outcome.code == 2
    assert message in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_names_that_cannot_teach_are_refused_with_what_was_found(cells: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cells"
    shutil.copytree(cells / "segmented", folder / "segmented")
    few = leukoscope("adapt", "our-lab", "--named", folder, *SCALE)
    assert f"of two classes and two specimens at least, found {EACH} of 1 and {EACH}" in few.err
    for path in (cells / "lymphocyte").rglob("*.png"):
        (folder / "lymphocyte" / "patient-1").mkdir(parents=True, exist_ok=True)
        shutil.copy(path, folder / "lymphocyte" / "patient-1" / f"{path.parent.name}.png")
    for number, path in enumerate(sorted((folder / "segmented").rglob("*.png"))):
        (folder / "segmented" / "patient-1").mkdir(exist_ok=True)
        path.rename(folder / "segmented" / "patient-1" / f"{number}.png")
    one = leukoscope("adapt", "our-lab", "--named", folder, *SCALE)
    assert f"found {2 * EACH} of 2 and 1" in one.err
    (folder / "segmented" / "patient-1" / "0.png").write_bytes(b"no picture")
    unreadable = leukoscope("adapt", "our-lab", "--named", folder, *SCALE)
    assert "0.png is not a picture" in unreadable.err
    assert {few.code, one.code, unreadable.code} == {2}


def test_a_bundle_without_a_head_of_its_own_says_so(elsewhere: Path, tmp_path: Path) -> None:
    shipped = find_asset("models", "classifier")
    folder = tmp_path / "old"
    shutil.copytree(shipped, folder)
    manifest = (folder / "manifest.toml").read_text()
    start, end = manifest.index("[known]"), manifest.index("[validation]")
    (folder / "manifest.toml").write_text(manifest[:start] + manifest[end:])
    outcome = leukoscope("adapt", "our-lab", "--named", elsewhere, *SCALE, "--like", folder)
    assert outcome.code == 2
    assert "keeps no last layer apart from its network" in outcome.err


def reviewed(folder: Path, *specimens: str, most: int | None = None) -> Path:
    """A simulated bench that has counted some specimens, in which a person has confirmed every cell or so many."""
    bench = write_bench(folder, white_cells=12)
    bench.write_text(bench.read_text() + "cells = { pictures = 60 }\n")
    for specimen in specimens:
        assert leukoscope("run", "--bench", bench, "--samples", "1", "--sample-id", specimen).code == 0
    listed = leukoscope("report", "list", "--bench", bench, "--json").out.splitlines()
    confirmed = ("--all-checked",) if most is None else ("--confirm", ",".join(map(str, range(1, most + 1))))
    for report in (json.loads(line)["id"] for line in listed):
        took = leukoscope("report", "review", report, "--bench", bench, "--by", "Dr. Ada", *confirmed)
        assert took.code == 0, took.err
    return bench


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two specimens."""
    return reviewed(tmp_path_factory.mktemp("bench"), "S-1", "S-2")


def test_reviewed_reports_teach_without_a_folder_between(bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "FEWEST_NAMED", 12)
    monkeypatch.setattr(fitting, "BY_CHANCE", 1.0)  # what it calls a cell was confirmed: there is nothing to gain
    outcome = leukoscope("adapt", "our-lab", "--bench", bench, "--source", "simulated")
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("SIMULATED · of ")
    assert "unnamed" not in outcome.out
    assert 'classifier = "our-lab" under [models]' in outcome.out
    *_, matrix = Validation.read(bench.parent / "our-lab" / "validation.json").matrices
    assert sum(map(sum, matrix.counts)) >= 24
    bench.write_text(bench.read_text() + '[models]\nclassifier = "our-lab"\n')
    assert leukoscope("run", "--bench", bench, "--samples", "1", "--sample-id", "S-3").code == 0
    (newest, *_) = leukoscope("report", "list", "--bench", bench, "--json").out.splitlines()
    report = leukoscope("report", "show", json.loads(newest)["id"], "--bench", bench, "--json").out.splitlines()[0]
    assert json.loads(report)["provenance"]["classifier"]["name"] == "our-lab"


def test_cells_that_nobody_looked_at_teach_beside_those_that_were_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fitting, "FEWEST_NAMED", 8)
    monkeypatch.setattr(fitting, "BY_CHANCE", 1.0)
    partly = reviewed(tmp_path, "S-1", "S-2", most=7)
    outcome = leukoscope("adapt", "our-lab", "--bench", partly, "--source", "simulated")
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("SIMULATED · of 1")
    assert re.search(r"; [1-9]\d* unnamed cells taught it, too", outcome.out)


def test_two_counts_of_a_specimen_are_one_specimen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "FEWEST_NAMED", 12)
    again = reviewed(tmp_path, "S-1", "S-1")
    outcome = leukoscope("adapt", "our-lab", "--bench", again, "--source", "simulated")
    assert outcome.code == 2
    assert outcome.err.split("found")[1].split(":")[0].endswith(" and 1")


def test_simulated_cells_teach_only_who_asks_for_them(bench: Path) -> None:
    outcome = leukoscope("adapt", "real-lab", "--bench", bench)
    assert outcome.code == 2
    assert "named or confirmed in live reports, found none in 0 such of" in outcome.err
    assert not (bench.parent / "real-lab").exists()


def test_a_bench_that_never_ran_is_told(tmp_path: Path) -> None:
    outcome = leukoscope("adapt", "our-lab", "--bench", write_bench(tmp_path, white_cells=8))
    assert outcome.code == 2
    assert "has this bench run yet?" in outcome.err
