"""Packs exported networks into a bundle, and judges them there: everything a bundle says of itself is found here.

    models/recipes/pack.py --exported DIR --facts models/recipes/segmenter.toml --out models/segmenter

A segmenter gets its thresholds, a classifier its temperature, its limit of unsure and its confusion matrices, all
from validation pictures and the int8 network; both get sha256 and a golden pair made by our own simulation. Runs in
the device's environment, so that the decisions are those of the engine that ships.
"""

import argparse
import hashlib
import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import tomli_w

from choose_thresholds import choose_thresholds
from golden_pictures import golden_pictures
from leukoscope.analysis.golden import clear_cells, clear_lead, replay, write_golden
from leukoscope.bundles.archive import MANIFEST
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.bundle_files import GOLDEN, HEAD, KNOWN, VALIDATION
from leukoscope.inference.litert import LitertSettings
from leukoscope.inference.onnx import OnnxSettings
from tables import Crop, add_collection, collected, data_folder
from validate_classifier import confusion, fitted_temperature, limit_of_suspicion, limit_of_unsure, name_all
from vocabulary import Vocabulary

NETWORKS = {"onnx": "network.int8.onnx", "litert": "network.int8.tflite"}
STORED = {"golden": GOLDEN, "head": HEAD, "known": KNOWN, "validation": VALIDATION}
KINDS = ("rbc", "wbc", "platelet")


def main() -> None:
    """Pack one bundle and replay it on both engines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exported", type=Path, required=True, help="what export.py wrote")
    parser.add_argument("--facts", type=Path, required=True, help="the manifest's hand-written part")
    parser.add_argument("--out", type=Path, required=True, help="the bundle's folder")
    add_collection(parser)
    options = parser.parse_args()
    facts = tomllib.loads(options.facts.read_text("utf-8"))
    if facts["kind"] == "segmenter":
        bundle = pack_segmenter(options.exported, facts, options.out)
    else:
        vocabulary = Vocabulary.read(options.facts)
        bundle = pack_classifier(options.exported, facts, options.out, vocabulary, collected(options, "val"))
    for settings in (OnnxSettings(threads=1), LitertSettings(threads=1)):
        network = settings.open(bundle)
        check = replay(bundle, network)
        print(
            f"{network.engine}: {check.agreed} of {check.decisions} golden decisions, "
            f"{check.surplus} surplus, {check.ms_per_run:.1f} ms: {'passed' if check.passed else 'FAILED'}"
        )
        if not check.passed:
            raise SystemExit("the engines disagree: the bundle must not ship")


def pack_segmenter(exported: Path, facts: dict[str, Any], out: Path) -> Bundle:
    """Write a segmenter's bundle; CARD.md in it is left alone."""
    signature = _signature(exported)
    facts["segmenter"]["thresholds"] = dict(zip(KINDS, signature["thresholds"], strict=True))
    bundle = _draft(exported, facts, signature, out)
    chosen = choose_thresholds(bundle, data_folder())
    facts["segmenter"] |= {"thresholds": chosen.inside, "edge_thresholds": chosen.edge}
    bundle = _write(out, facts)
    assert bundle.manifest.segmenter is not None
    pictures = golden_pictures(bundle.manifest)
    grids = OnnxSettings(threads=1).open(bundle).run(pictures[0])
    write_golden(out / GOLDEN, pictures, cells=clear_cells(grids["heat"], grids["box"], bundle.manifest.segmenter))
    return _write(out, facts)


def pack_classifier(
    exported: Path, facts: dict[str, Any], out: Path, vocabulary: Vocabulary, crops: list[Crop]
) -> Bundle:
    """Write a classifier's bundle, judged on these crops; CARD.md in it is left alone."""
    facts.pop("training", None)
    facts["classifier"] |= {"temperature": 1.0, "unsure_below": 0.0}
    bundle = _draft(exported, facts, _signature(exported), out)
    facts["classifier"]["temperature"] = round(fitted_temperature(bundle, crops, vocabulary), 3)
    bundle = _write(out, facts)
    named = name_all(bundle, crops, vocabulary)
    facts["classifier"]["unsure_below"] = limit_of_unsure(named, bundle)
    limits = {key: limit_of_suspicion(named, key, bundle, vocabulary) for key in vocabulary.suspected}
    facts["classifier"]["suspect"] = {key: limit for key, limit in limits.items() if limit is not None}
    bundle = _write(out, facts)
    (out / VALIDATION).write_text(confusion(named, bundle, vocabulary).model_dump_json(indent=1), "utf-8")
    _write_golden_cells(bundle, out)
    return _write(out, facts)


def _write_golden_cells(bundle: Bundle, out: Path) -> None:
    pictures = golden_pictures(bundle.manifest)
    logits = np.stack([OnnxSettings(threads=1).open(bundle).run(picture)["logits"] for picture in pictures])
    clear = clear_lead(logits)
    write_golden(out / GOLDEN, pictures[clear], classes=logits[clear].argmax(axis=1))


def _signature(exported: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((exported / "signature.json").read_text("utf-8"))
    return found


def _draft(exported: Path, facts: dict[str, Any], signature: dict[str, Any], out: Path) -> Bundle:
    """A bundle with the networks alone, so that they can be asked."""
    out.mkdir(parents=True, exist_ok=True)
    places = signature["litert"]["outputs"]
    outputs = sorted(places, key=lambda one: places[one]["index"])
    for name in NETWORKS.values():
        shutil.copyfile(exported / name, out / name)
        (out / name).chmod(0o644)
    for name in STORED.values():
        (out / name).unlink(missing_ok=True)
    for name in (HEAD, KNOWN) if facts["kind"] == "classifier" else ():
        shutil.copyfile(exported / name, out / name)
    (out / GOLDEN).write_bytes(b"")
    facts["files"] = {engine: {"path": name, "outputs": outputs} for engine, name in NETWORKS.items()}
    return _write(out, facts)


def _write(out: Path, facts: dict[str, Any]) -> Bundle:
    """The manifest, with the digests of what lies beside it now."""
    for file in facts["files"].values():
        file["sha256"] = _sha256(out / file["path"])
    stored = {key: name for key, name in STORED.items() if (out / name).exists()}
    content = facts | {key: {"path": name, "sha256": _sha256(out / name)} for key, name in stored.items()}
    (out / MANIFEST).write_text(tomli_w.dumps(content), "utf-8")
    return Bundle.read(out)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
