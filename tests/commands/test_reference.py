import json
from pathlib import Path
from statistics import median

import pytest
from PIL import Image

from leukoscope.optics.learnt_size import LearntSize, SpecimenSize
from leukoscope.service.models import open_models
from leukoscope.settings import BenchSettings
from tests.commands.command_line import Outcome, leukoscope, simulated_pictures
from tests.commands.test_run import write_bench


@pytest.fixture(scope="module")
def fields(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fields")
    list(simulated_pictures(folder, 26))
    return folder


def test_a_reference_measured_from_fields_is_heeded_by_examine(fields: Path, tmp_path: Path) -> None:
    kept = tmp_path / "reference.json"
    made = leukoscope("reference", fields, "--um-per-px", "0.127", "--out", kept)
    assert made.code == 0, made.err
    assert "1 specimens; one patient's cells" in made.err
    content = json.loads(kept.read_bytes())
    assert content["white_cells"] >= 30
    kept.write_text(json.dumps(content | {"scale": 1.2}))
    field = sorted(fields.iterdir())[0]
    plain, referred = (
        leukoscope("examine", field, "--um-per-px", "0.127", "--json", *more) for more in ((), ("--reference", kept))
    )
    assert referred.code == 0, referred.err
    before, after = (median(cell["diameter_um"] for cell in json.loads(one.out)["cells"]) for one in (plain, referred))
    assert after / before == pytest.approx(1.2, rel=0.05)


def test_a_reference_of_another_scale_is_refused(fields: Path, tmp_path: Path) -> None:
    kept = tmp_path / "reference.json"
    leukoscope("reference", fields, "--um-per-px", "0.127", "--out", kept)
    refused = leukoscope("examine", fields, "--um-per-px", "0.2", "--reference", kept)
    assert refused.code == 2
    assert "was measured at 0.127 µm per pixel, found --um-per-px 0.2" in refused.err


def test_pictures_that_are_no_smear_teach_no_size(fields: Path, tmp_path: Path) -> None:
    grey = tmp_path / "grey.png"
    Image.open(sorted(fields.iterdir())[0]).convert("L").save(grey)
    made = leukoscope("reference", fields, grey, "--um-per-px", "0.127", "--out", tmp_path / "reference.json")
    assert made.code == 2
    assert f"{grey} is left out: " in made.err
    assert json.loads((tmp_path / "reference.json").read_bytes())["specimens"] == 1


def test_a_reference_that_cannot_be_written_is_one_line(fields: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    refused = leukoscope("reference", fields, "--um-per-px", "0.127", "--out", tmp_path / "file" / "reference.json")
    assert refused.code == 2
    assert "cannot be written" in refused.err
    assert len(refused.err.strip().splitlines()) == 1


def test_pictures_are_named_as_the_bench_names_them(fields: Path, tmp_path: Path) -> None:
    bench = write_bench(tmp_path)
    settings = BenchSettings.read(bench)
    calibration = settings.calibration.open(tmp_path)
    segmenter = open_models(settings.models, tmp_path).segmenter_identity.sha256
    learnt = LearntSize(
        calibration=calibration.id,
        segmenter=segmenter,
        specimens=tuple(
            SpecimenSize(report=f"{number}", specimen=f"S-{number}", white_um=11.5, white_cells=30)
            for number in range(5)
        ),
        in_force=True,
    )
    settings.storage.make_folder()
    learnt.write(settings.storage.folder)
    kept = tmp_path / "reference.json"
    leukoscope("reference", fields, "--um-per-px", "0.127", "--out", kept)
    same_size = json.loads(kept.read_bytes()) | {"scale": 1.0, "enlarged": 1.2174}
    kept.write_text(json.dumps(same_size))
    for command in ("examine", "classify"):
        plain, referred, as_on_bench = (
            _named(leukoscope(command, fields, "--um-per-px", "0.127", "--json", *more))
            for more in ((), ("--reference", kept), ("--bench", bench))
        )
        assert as_on_bench == referred != plain


def test_a_bench_and_a_network_named_beside_it_are_refused(tmp_path: Path) -> None:
    refused = leukoscope("classify", tmp_path, "--um-per-px", "0.127", "--bench", write_bench(tmp_path), "--threads", 1)
    assert refused.code == 2
    assert "leave out" in refused.err


def _named(outcome: Outcome) -> list[tuple[str, float]]:
    assert outcome.code == 0, outcome.err
    entries = [json.loads(line) for line in outcome.out.splitlines()]
    return [(cell["class"], cell["confidence"]) for entry in entries for cell in entry.get("cells", [entry])]
