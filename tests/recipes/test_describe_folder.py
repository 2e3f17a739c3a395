import tomllib
from pathlib import Path

import pytest
from PIL import Image

from describe_folder import FolderError, checked, facts
from leukoscope.inference.bundle import ClassifierFacts
from tables import folder_crops
from tests.recipes.cell_folders import UM_PER_PX, make_cell_folder
from vocabulary import Vocabulary

CLASSES = ("lymphocyte", "segmented")


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_cell_folder(tmp_path_factory.mktemp("cells"), CLASSES, 40)


def test_a_folder_is_described_so_that_a_bundle_can_be_made_from_it(cells: Path, tmp_path: Path) -> None:
    counts = checked(cells, UM_PER_PX)
    assert {label: sum(both) for label, both in counts.items()} == dict.fromkeys(CLASSES, 40)
    written = tmp_path / "facts.toml"
    written.write_text(facts("ours", counts))
    content = tomllib.loads(written.read_text())
    described = ClassifierFacts.model_validate(content["classifier"] | {"temperature": 1.0, "unsure_below": 0.5})
    assert [one.key for one in described.classes] == ["lymphocyte", "segmented", "artefact"]
    assert [one.in_differential for one in described.classes] == [True, True, False]
    assert len({one.short for one in described.classes}) == 3
    assert Vocabulary.read(written).indices("segmented") == (1,)


def test_a_patient_is_never_learnt_from_and_judged_by_at_once(cells: Path) -> None:
    learnt, judged = ({crop.group for crop in folder_crops(cells, UM_PER_PX, split)} for split in ("train", "val"))
    assert learnt and judged
    assert not learnt & judged


def test_one_patient_in_five_is_kept_for_judging(cells: Path) -> None:
    assert len({crop.group for crop in folder_crops(cells, UM_PER_PX, "val")}) == 40 // 5
    assert folder_crops(cells, UM_PER_PX, "val") == folder_crops(cells, UM_PER_PX, "val")


def test_what_cannot_be_learnt_from_is_refused_with_the_reason(cells: Path, tmp_path: Path) -> None:
    with pytest.raises(FolderError, match=r"expected 0\.03 to 0\.3 µm per pixel, found 10"):
        checked(cells, 10.0)
    with pytest.raises(FolderError, match="found none at"):
        checked(tmp_path / "nowhere", UM_PER_PX)
    with pytest.raises(FolderError, match="at least two class folders"):
        checked(tmp_path, UM_PER_PX)
    with pytest.raises(FolderError, match="small letters and underscores, found \\['Blast 1'\\]"):
        checked(_with(cells, tmp_path / "a", "Blast 1", (120, 120)), UM_PER_PX)
    with pytest.raises(FolderError, match=r"class 'blast' has .* to learn from"):
        checked(_with(cells, tmp_path / "b", "blast", (120, 120)), UM_PER_PX)
    with pytest.raises(FolderError, match="small letters, digits and hyphens"):
        facts("Our Marrow", {"blast": (9, 9)})


def test_a_picture_that_shows_too_little_or_is_none_is_named(cells: Path, tmp_path: Path) -> None:
    for number in range(40):
        small = _with(cells, tmp_path, "blast", (20, 20), number)
    with pytest.raises(FolderError, match=r"blast.*shows 4\.0 x 4\.0 µm"):
        checked(small, UM_PER_PX)
    broken = tmp_path / "blast" / "0" / "cell.png"
    broken.write_bytes(b"no picture")
    with pytest.raises(FolderError, match=str(broken)):
        checked(small, UM_PER_PX)


def _with(cells: Path, folder: Path, label: str, size: tuple[int, int], number: int = 0) -> Path:
    """The same folder with one more picture."""
    folder.mkdir(exist_ok=True)
    for one in cells.iterdir():
        if not (folder / one.name).exists():
            (folder / one.name).symlink_to(one, target_is_directory=True)
    path = folder / label / f"{number}" / "cell.png"
    path.parent.mkdir(parents=True)
    Image.new("RGB", size).save(path)
    return folder
