"""Bundles for tests, with manifests as they ship and networks that need no file."""

import hashlib
from pathlib import Path
from typing import Any

import onnx

from leukoscope.inference.bundle import Bundle, Manifest

_NOTHING = {"path": "none", "sha256": "0" * 64}


def manifest(kind: str, **facts: Any) -> dict[str, Any]:
    """A manifest's content."""
    return {
        "schema_version": 1,
        "name": kind,
        "kind": kind,
        "version": "1.0.0",
        "licence": "none",
        "golden": _NOTHING,
        "files": {},
        **facts,
    }


def onnx_bundle(folder: Path, network: onnx.ModelProto) -> Bundle:
    """A classifier's bundle with one ONNX network, whose only output is `features`."""
    path = folder / "network.onnx"
    onnx.save(network, path)
    file = {"path": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "outputs": ["features"]}
    content = manifest(
        "classifier",
        input={"rows": 8, "cols": 8, "um_per_px": 0.2},
        classifier=classifier_bundle().manifest.model_dump()["classifier"],
    )
    return Bundle(folder, Manifest.model_validate(content | {"files": {"onnx": file}}))


def segmenter_bundle() -> Bundle:
    """A segmenter of 320x416 pixels at 0.2 µm, stride 4."""
    content = manifest(
        "segmenter",
        input={"rows": 320, "cols": 416, "um_per_px": 0.2},
        segmenter={
            "stride": 4,
            "margin_um": 10.0,
            "thresholds": {"rbc": 0.4, "wbc": 0.4, "platelet": 0.4},
        },
    )
    return Bundle(Path(), Manifest.model_validate(content))


def classifier_bundle(
    unsure_below: float = 0.5, temperature: float = 1.0, label_smoothing: float = 0.0, **facts: Any
) -> Bundle:
    """A classifier of 40x40 pixels at 0.2 µm that knows a dark and a bright class."""
    content = manifest(
        "classifier",
        input={"rows": 40, "cols": 40, "um_per_px": 0.2},
        classifier={
            "classes": [
                {"key": "dark", "short": "DRK", "in_differential": True},
                {"key": "bright", "short": "BRI", "in_differential": True},
            ],
            "temperature": temperature,
            "label_smoothing": label_smoothing,
            "unsure_below": unsure_below,
            **facts,
        },
    )
    return Bundle(Path(), Manifest.model_validate(content))
