from pathlib import Path

import pytest

from leukoscope.errors import BundleError
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.validation import ConfusionMatrix, Validation
from leukoscope.system.assets import find_asset

MATRIX = ConfusionMatrix(
    collection="drawn",
    held_out_by="patient",
    truth=("dark", "bright"),
    named=("dark", "bright", "unsure"),
    counts=((8, 1, 1), (0, 9, 2)),
)


def test_what_was_validated_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "validation.json"
    path.write_text(Validation(matrices=(MATRIX,)).model_dump_json())
    assert Validation.read(path).matrices == (MATRIX,)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "invalid json"),
        (Validation(matrices=(MATRIX,)).model_dump_json().replace("[8,1,1]", "[8,1]"), "expected 2 rows of 3 counts"),
        (Validation(matrices=(MATRIX,)).model_dump_json().replace("[8,1,1]", "[8,1,-1]"), "counts"),
    ],
)
def test_a_malformed_validation_is_refused_with_the_reason(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "validation.json"
    path.write_text(content)
    with pytest.raises(BundleError, match=says):
        Validation.read(path)


def test_the_shipped_classifier_tells_how_it_named_every_cell_of_its_validation() -> None:
    bundle = Bundle.read(find_asset("models", "classifier"))
    path = bundle.validation_path()
    assert path is not None
    assert bundle.manifest.classifier is not None
    classes = tuple(one.key for one in bundle.manifest.classifier.classes)
    matrices = {one.collection: one for one in Validation.read(path).matrices}
    assert matrices["deepapl"].held_out_by == "patient"
    assert matrices["raabin"].held_out_by == "slide"
    for matrix in matrices.values():
        assert matrix.named == (*classes, "unsure")
        assert all(sum(row) > 0 for row in matrix.counts)


def test_a_bundle_without_validation_says_so() -> None:
    assert Bundle.read(find_asset("models", "segmenter")).validation_path() is None
