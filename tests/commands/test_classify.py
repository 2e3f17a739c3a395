import json
from pathlib import Path

import pytest
from PIL import Image

from leukoscope.specimen.cell import UNSURE, CellKind
from tests.commands.command_line import leukoscope, simulated_camera


@pytest.fixture(scope="module")
def crops(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """White cells of the simulation, cut out as 24 µm crops."""
    camera, folder = simulated_camera(60.0), tmp_path_factory.mktemp("crops")
    paths: list[Path] = []
    for _ in range(6):
        picture = Image.fromarray(camera.capture().pixels)
        for cell in camera.truth:
            if cell.kind is CellKind.WBC and not cell.touches_border:
                row, col = cell.box.centre
                path = folder / f"{len(paths)}-{cell.cell_class}.png"
                picture.crop((round(col) - 94, round(row) - 94, round(col) + 94, round(row) + 94)).save(path)
                paths.append(path)
    return paths


def test_every_line_keeps_the_contract(crops: list[Path]) -> None:
    outcome = leukoscope("classify", *crops, "--um-per-px", "0.127", "--json")
    assert outcome.code == 0, outcome.err
    entries = [json.loads(line) for line in outcome.out.splitlines()]
    assert [entry["picture"] for entry in entries] == [str(path) for path in crops]
    for entry in entries:
        assert list(entry) == ["picture", "class", "confidence", "suspect", "probabilities"]
        shares = entry["probabilities"]
        assert sum(shares.values()) == pytest.approx(1, abs=0.001)
        # The best class of the best group need not be the best of all.
        assert entry["class"] in {*shares, UNSURE}
        probability = shares.get(entry["class"], entry["confidence"])
        assert entry["confidence"] == pytest.approx(probability, abs=0.001)
        assert 0 < entry["confidence"] <= max(shares.values()) + 0.001


def test_simulated_lymphocytes_are_not_called_granulocytes(crops: list[Path]) -> None:
    lymphocytes = [path for path in crops if path.stem.endswith("lymphocyte")]
    assert lymphocytes
    outcome = leukoscope("classify", *lymphocytes, "--um-per-px", "0.127", "--json")
    classes = [json.loads(line)["class"] for line in outcome.out.splitlines()]
    assert not {"segmented", "band", "eosinophil", "neutrophil"} & set(classes)


def test_a_bad_crop_gets_one_line_and_the_rest_go_on(crops: list[Path], tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    outcome = leukoscope("classify", bad, crops[0], "--um-per-px", "0.127")
    assert outcome.code == 2
    assert str(crops[0]) in outcome.out
    assert len(outcome.err.splitlines()) == 1
