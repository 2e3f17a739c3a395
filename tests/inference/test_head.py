import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from leukoscope.analysis.golden import replay
from leukoscope.errors import BundleError
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.head import Head, NamedByHead, read_head
from leukoscope.inference.network import Outputs
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.system.assets import find_asset

HEAD = Head(np.array([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]], np.float32), np.array([0.0, 0.5, -1.0], np.float32))


class Seeing:
    """A network that sees two things in every picture."""

    engine = "none"

    def run(self, picture: NDArray[np.uint8]) -> Outputs:
        return {"features": np.array([picture.max(), picture.min()], np.float32)}


def test_a_head_names_what_the_network_sees() -> None:
    outputs = NamedByHead(Seeing(), HEAD).run(np.array([[3, 4]], np.uint8))
    np.testing.assert_allclose(outputs["logits"], [4.0, 6.5, 6.0])
    np.testing.assert_allclose(outputs["features"], [4.0, 3.0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the bundle that ships."""
    return Path(shutil.copytree(find_asset("models", "classifier"), tmp_path / "classifier"))


def with_head(folder: Path, **arrays: NDArray) -> Bundle:
    """The bundle with another head, rightly named in its manifest."""
    digest = hashlib.sha256((folder / "head.npz").read_bytes()).hexdigest()
    np.savez(folder / "head.npz", allow_pickle=False, **arrays)
    manifest = folder / "manifest.toml"
    written = hashlib.sha256((folder / "head.npz").read_bytes()).hexdigest()
    manifest.write_text(manifest.read_text().replace(digest, written))
    return Bundle.read(folder)


def test_a_report_tells_two_heads_of_one_network_apart(folder: Path) -> None:
    before = Bundle.read(folder)
    head = read_head(before)
    assert head is not None
    after = with_head(folder, weights=head.weights, biases=head.biases + 1.0)
    assert after.digest("onnx") != before.digest("onnx")
    assert before.digest("onnx") != before.digest("litert")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({}, r"weights of shape \(0,\)"),
        ({"weights": np.zeros((19, 160))}, r"biases of shape \(0,\)"),
        ({"weights": np.zeros((19, 160)), "biases": np.zeros(18)}, r"biases of shape \(18,\) are no layer"),
        ({"weights": np.zeros((19, 160)), "biases": np.full(19, np.nan)}, "expected finite numbers"),
        ({"weights": np.zeros((19, 160)), "biases": np.zeros(19, int)}, "expected finite numbers"),
    ],
)
def test_a_malformed_head_is_refused(folder: Path, arrays: dict[str, NDArray], message: str) -> None:
    bundle = with_head(folder, **arrays)
    with pytest.raises(BundleError, match=rf"head\.npz is malformed .*{message}"):
        OnnxSettings(threads=1).open(bundle)


@pytest.mark.parametrize("shape", [(19, 150), (18, 160)])
def test_a_head_of_another_network_does_not_pass_the_golden_check(folder: Path, shape: tuple[int, int]) -> None:
    bundle = with_head(folder, weights=np.zeros(shape), biases=np.zeros(shape[0]))
    with pytest.raises(BundleError, match="does not fit its manifest"):
        replay(bundle, OnnxSettings(threads=1).open(bundle))


def test_an_altered_head_is_refused(folder: Path) -> None:
    (folder / "head.npz").write_bytes(b"another head")
    with pytest.raises(BundleError, match="not the file its manifest names"):
        OnnxSettings(threads=1).open(Bundle.read(folder))


def test_only_a_classifier_has_a_head(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(find_asset("models", "segmenter"), tmp_path / "segmenter"))
    with (folder / "manifest.toml").open("a") as manifest:
        manifest.write(f'\n[head]\npath = "head.npz"\nsha256 = "{"0" * 64}"\n')
    with pytest.raises(BundleError, match="only a classifier has a head"):
        Bundle.read(folder)
