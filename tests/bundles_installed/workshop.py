"""A workshop that makes small bundles: real networks of one layer, real keys, real archives."""

import base64
import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from leukoscope import __version__
from leukoscope.analysis.golden import write_golden
from leukoscope.bundles.archive import Archive, write_archive
from leukoscope.bundles.contents import SoftwareRange, contents_of, files_to_pack
from leukoscope.bundles.installing import InstallRules
from leukoscope.bundles.signing import sign
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.onnx import OnnxSettings

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
# Always the same, so that spoilt archives are always the same; PKCS #8 as in RFC 8410, section 7.
KEY = (
    b"-----BEGIN PRIVATE KEY-----\n"
    + base64.b64encode(bytes.fromhex("302e020100300506032b657004220420") + b"the key of a workshop for tests.")
    + b"\n-----END PRIVATE KEY-----\n"
)
PUBLIC = sign(KEY, b"")[1]
RULES = InstallRules(
    keys=(PUBLIC,), allow_unsigned=False, allow_downgrade=False, engine=OnnxSettings(threads=1), software=__version__
)
SOFTWARE = SoftwareRange(at_least="0.1.0")
MANIFEST = """
schema_version = 1
name = "{name}"
kind = "classifier"
version = "{version}"
licence = "none"
input = {{ rows = 8, cols = 8, um_per_px = 0.2 }}
golden = {{ path = "golden.npz", sha256 = "{golden}" }}

[files.onnx]
path = "network.onnx"
sha256 = "{network}"
outputs = ["logits"]

[classifier]
temperature = 1.0
unsure_below = 0.5
classes = [
    {{ key = "dark", short = "DRK", in_differential = true }},
    {{ key = "bright", short = "BRI", in_differential = true }},
]
"""


def network(turned: bool = False) -> bytes:
    """An ONNX network that tells dark from bright by the mean of an 8x8 picture; `turned` takes one for the other."""
    sign_of = -1.0 if turned else 1.0
    weights = numpy_helper.from_array(np.array([[-sign_of, sign_of]] * 3, dtype=np.float32), "weights")
    bias = numpy_helper.from_array(np.array([1.5 * sign_of, -1.5 * sign_of], dtype=np.float32), "bias")
    nodes = [
        helper.make_node("GlobalAveragePool", ["picture"], ["means"]),
        helper.make_node("Flatten", ["means"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weights", "bias"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "brightness",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, 2])],
        [weights, bias],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString()


def bundle(folder: Path, name: str = "classifier", version: str = "9.0.0", *, turned: bool = False) -> Bundle:
    """A small bundle; the golden pair of a `turned` one is not reached by its network."""
    folder.mkdir(parents=True)
    pictures = np.stack([np.full((8, 8, 3), grey, dtype=np.uint8) for grey in (20, 230)])
    write_golden(folder / "golden.npz", pictures, classes=np.array([0, 1]))
    (folder / "network.onnx").write_bytes(network(turned))
    digests = {
        key: hashlib.sha256((folder / file).read_bytes()).hexdigest()
        for key, file in (("golden", "golden.npz"), ("network", "network.onnx"))
    }
    (folder / "manifest.toml").write_text(MANIFEST.format(name=name, version=version, **digests))
    return Bundle.read(folder)


def archive_of(made: Bundle, software: SoftwareRange = SOFTWARE, key: bytes | None = KEY) -> bytes:
    """The archive `tools/pack_bundle.py` would write."""
    files = files_to_pack(made)
    contents = contents_of(made, files, software).model_dump_json(indent=1).encode()
    return write_archive(Archive(contents, None if key is None else sign(key, contents)[0], files))


def archive(
    folder: Path, version: str = "9.0.0", name: str = "classifier", *, turned: bool = False, key: bytes | None = KEY
) -> bytes:
    """A small bundle's archive."""
    return archive_of(bundle(folder / f"{name}-{version}-{turned}", name, version, turned=turned), key=key)


def rules(**changes: object) -> InstallRules:
    """What a device takes, changed."""
    return replace(RULES, **changes)  # type: ignore[arg-type]
