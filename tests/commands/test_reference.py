import json
from pathlib import Path
from statistics import median

import pytest
from PIL import Image

from tests.commands.command_line import leukoscope, simulated_pictures


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
