import hashlib
from pathlib import Path

import pytest

from leukoscope.errors import BundleError
from leukoscope.inference.bundle import Bundle

MANIFEST = """
schema_version = 1
name = "drawn"
kind = "classifier"
version = "1.0.0"
licence = "none"
input = {{ rows = 40, cols = 40, um_per_px = 0.2 }}
golden = {{ path = "golden.npz", sha256 = "{sha256}" }}

[files.onnx]
path = "network.onnx"
sha256 = "{sha256}"
outputs = ["logits"]

[classifier]
temperature = 1.0
unsure_below = 0.5
classes = [
    {{ key = "dark", short = "DRK", in_differential = true }},
    {{ key = "bright", short = "BRI", in_differential = true }},
]
groups = {{ any = ["dark", "bright"] }}
"""
CONTENT = b"a network"


def write(folder: Path, old: str = "", new: str = "") -> Path:
    text = MANIFEST.format(sha256=hashlib.sha256(CONTENT).hexdigest())
    assert old in text
    (folder / "manifest.toml").write_text(text.replace(old, new) if old else text)
    for name in ("network.onnx", "golden.npz"):
        (folder / name).write_bytes(CONTENT)
    return folder


def test_a_whole_bundle_is_read(tmp_path: Path) -> None:
    bundle = Bundle.read(write(tmp_path))
    assert bundle.network_path("onnx").read_bytes() == CONTENT


def test_an_altered_network_is_refused(tmp_path: Path) -> None:
    bundle = Bundle.read(write(tmp_path))
    (tmp_path / "network.onnx").write_bytes(b"another network")
    with pytest.raises(BundleError, match="not the file its manifest names: expected sha256"):
        bundle.network_path("onnx")


def test_a_missing_network_is_named(tmp_path: Path) -> None:
    bundle = Bundle.read(write(tmp_path))
    (tmp_path / "network.onnx").unlink()
    with pytest.raises(BundleError, match=r"network\.onnx cannot be read"):
        bundle.network_path("onnx")


def test_an_engine_without_a_network_says_which_there_are(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"engine 'litert' \(it holds onnx\)"):
        Bundle.read(write(tmp_path)).network_path("litert")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("temperature = 1.0", "temperatur = 1.0", "temperatur is not a known key"),
        ("temperature = 1.0", "temperature = 0.0", "temperature"),
        ('key = "bright"', 'key = "dark"', "appears twice"),
        ('["dark", "bright"]', '["dark", "purple"]', "unknown classes"),
        ('kind = "classifier"', 'kind = "segmenter"', "needs exactly the table"),
        ("schema_version = 1", "schema_version = 2", "schema_version"),
        ("[files.onnx]", "[files.onnx", "cannot be read"),
        ('version = "1.0.0"', 'version = "one"', "version"),
    ],
)
def test_a_malformed_manifest_is_refused_in_one_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(BundleError, match=message) as caught:
        Bundle.read(write(tmp_path, old, new))
    assert "\n" not in str(caught.value).split("cannot be read")[0]


def test_a_manifest_cannot_name_a_file_outside_its_folder(tmp_path: Path) -> None:
    bundle = Bundle.read(write(tmp_path, 'path = "network.onnx"', 'path = "../network.onnx"'))
    with pytest.raises(BundleError, match="outside its own folder"):
        bundle.network_path("onnx")


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no model bundle at"):
        Bundle.read(tmp_path / "nothing")
