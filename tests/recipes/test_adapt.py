import json
import shutil
import tomllib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pack
import unnamed_cells
from describe_folder import FolderError
from leukoscope.analysis.golden import replay
from leukoscope.assets import find_asset
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.litert import LitertSettings
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.simulation.microscope import MicroscopeSettings, SimulatedMicroscope
from leukoscope.simulation.smear import Smear, SmearSettings
from leukoscope.simulation.stage import Stage
from named_cells import named_crops
from tests.recipes.cell_folders import UM_PER_PX as CELLS_UM_PER_PX
from tests.recipes.cell_folders import make_cell_folder
from vocabulary import Vocabulary

UM_PER_PX = 0.127
FACTS = Path(pack.__file__).with_name("classifier.toml")
VOCABULARY = Vocabulary.read(FACTS)


def make_fields(folder: Path, count: int) -> Path:
    """Simulated fields with some white cells each."""
    settings = MicroscopeSettings(width=640, height=480, um_per_px=UM_PER_PX, seed=4)
    stage = Stage(lambda: 0.0)
    microscope = SimulatedMicroscope(Smear(SmearSettings(seed=4, white_per_1000_rbc=80.0)), stage, settings)
    folder.mkdir()
    for number in range(count):
        stage.move_to(100.0 + 100.0 * number, 100.0)
        Image.fromarray(microscope.look()[0]).save(folder / f"{number}.png")
    return folder


def test_white_cells_are_cut_out_of_field_pictures_as_the_device_cuts_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unnamed_cells, "FEWEST", 3)
    windows = unnamed_cells.white_cells(make_fields(tmp_path / "fields", 3), UM_PER_PX)
    assert windows.shape[1:] == (128, 128, 3)
    # Nuclei are dark in red light, red cells and glass are not.
    middles = windows[:, 44:84, 44:84, 0]
    assert (np.percentile(middles, 10, axis=(1, 2)) < 150).all()


def test_too_few_white_cells_are_refused_with_what_was_found(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"expected .* 128 white cells or more .* found \d+ in 1 pictures"):
        unnamed_cells.white_cells(make_fields(tmp_path / "fields", 1), UM_PER_PX)


def test_a_slip_of_the_pen_in_the_scale_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"found 12\.7"):
        unnamed_cells.white_cells(tmp_path, 12.7)


def test_named_cells_are_taken_by_class_and_specimen(tmp_path: Path) -> None:
    folder = make_cell_folder(tmp_path / "cells", ("lymphocyte", "segmented"), 15)
    crops = named_crops(folder, CELLS_UM_PER_PX, VOCABULARY)
    assert Counter(crop.label for crop in crops) == {"lymphocyte": 15, "segmented": 15}
    assert {crop.group for crop in crops} == {f"patient-{number}" for number in range(1, 16)}


def test_names_that_cannot_teach_are_refused_with_what_was_found(tmp_path: Path) -> None:
    folder = make_cell_folder(tmp_path / "cells", ("lymphocyte", "segmented"), 13)
    with pytest.raises(FolderError, match=r"found 20"):
        named_crops(folder, 20.0, VOCABULARY)
    with pytest.raises(FolderError, match="found none at"):
        named_crops(tmp_path / "nowhere", CELLS_UM_PER_PX, VOCABULARY)
    with pytest.raises(FolderError, match=r"expected 25 named cells or more .* found 13 of 1 and 13"):
        named_crops(_only(folder, tmp_path / "a", "lymphocyte"), CELLS_UM_PER_PX, VOCABULARY)
    shutil.copytree(folder / "segmented", folder / "seg")
    with pytest.raises(FolderError, match=r"named after classes \(.*eosinophil.*neutrophil.*\), found \['seg'\]"):
        named_crops(folder, CELLS_UM_PER_PX, VOCABULARY)
    shutil.rmtree(folder / "seg")
    (folder / "segmented" / "patient-1" / "cell.png").write_bytes(b"no picture")
    with pytest.raises(FolderError, match=r"patient-1.cell\.png"):
        named_crops(folder, CELLS_UM_PER_PX, VOCABULARY)


def test_cells_of_one_specimen_are_too_few_however_many(tmp_path: Path) -> None:
    folder = make_cell_folder(tmp_path / "cells", ("lymphocyte", "segmented"), 13)
    one = tmp_path / "one"
    for path in folder.rglob("*.png"):
        label, patient = path.parts[-3:-1]
        (one / label / "S-1").mkdir(parents=True, exist_ok=True)
        shutil.copy(path, one / label / "S-1" / f"{patient}.png")
    with pytest.raises(FolderError, match=r"two specimens at least, found 26 of 2 and 1"):
        named_crops(one, CELLS_UM_PER_PX, VOCABULARY)


def _only(folder: Path, to: Path, label: str) -> Path:
    """A folder with one of its classes alone."""
    shutil.copytree(folder / label, to / label)
    return to


def test_an_adapted_bundle_believes_as_the_one_it_comes_from_and_claims_no_figures(tmp_path: Path) -> None:
    folder, exported = find_asset("models", "classifier"), tmp_path / "exported"
    shipped = Bundle.read(folder)
    exported.mkdir()
    for name in pack.NETWORKS.values():
        shutil.copy(folder / name, exported / name)
    (exported / "signature.json").write_text(json.dumps({"litert": {"outputs": {"logits": {"index": 0}}}}))
    facts = tomllib.loads(FACTS.read_text("utf-8"))
    packed = pack.pack_adapted(exported, facts, tmp_path / "our-lab", shipped, "our-lab")
    assert packed.manifest.name == "our-lab"
    assert packed.manifest.classifier == shipped.manifest.classifier
    assert packed.validation_path() is None
    for settings in (OnnxSettings(threads=1), LitertSettings(threads=1)):
        assert replay(packed, settings.open(packed)).passed
