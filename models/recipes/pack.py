"""Packs exported networks into a bundle: manifest, sha256 and a golden pair made by our own simulation.

    models/recipes/pack.py --exported DIR --facts models/recipes/segmenter.toml --out models/segmenter

Runs in the device's environment, so that the golden decisions are those of the engine that ships.
"""

import argparse
import hashlib
import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden_pictures import golden_pictures
from leukoscope.analysis.golden import clear_cells, replay, write_golden
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.litert import LitertSettings
from leukoscope.inference.onnx import OnnxSettings

NETWORKS = {"onnx": "network.int8.onnx", "litert": "network.int8.tflite"}
GOLDEN = "golden.npz"
KINDS = ("rbc", "wbc", "platelet")


def main() -> None:
    """Pack one bundle and replay it on both engines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exported", type=Path, required=True, help="what export.py wrote")
    parser.add_argument("--facts", type=Path, required=True, help="the manifest's hand-written part")
    parser.add_argument("--out", type=Path, required=True, help="the bundle's folder")
    arguments = parser.parse_args()
    bundle = pack(arguments.exported, arguments.facts, arguments.out)
    for settings in (OnnxSettings(threads=1), LitertSettings(threads=1)):
        network = settings.open(bundle)
        check = replay(bundle, network)
        print(
            f"{network.engine}: {check.agreed} of {check.decisions} golden decisions, "
            f"{check.surplus} surplus, {check.ms_per_run:.1f} ms: {'passed' if check.passed else 'FAILED'}"
        )
        if not check.passed:
            raise SystemExit("the engines disagree: the bundle must not ship")


def pack(exported: Path, facts_file: Path, out: Path) -> Bundle:
    """Write a bundle's folder; CARD.md in it is left alone."""
    out.mkdir(parents=True, exist_ok=True)
    facts = tomllib.loads(facts_file.read_text("utf-8"))
    signature = json.loads((exported / "signature.json").read_text("utf-8"))
    for name in NETWORKS.values():
        shutil.copyfile(exported / name, out / name)
    _complete(facts, signature)
    outputs = sorted(signature["litert"]["outputs"], key=lambda one: signature["litert"]["outputs"][one]["index"])
    files = {
        engine: {"path": name, "sha256": _sha256(out / name), "outputs": outputs} for engine, name in NETWORKS.items()
    }
    (out / NETWORKS["litert"]).chmod(0o644)
    # The golden decisions come from the network itself, so a first manifest names an empty golden file.
    (out / GOLDEN).write_bytes(b"")
    bundle = _write(out, facts, files)
    network = OnnxSettings(threads=1).open(bundle)
    pictures = golden_pictures(bundle.manifest)
    answers = [network.run(picture) for picture in pictures]
    if bundle.manifest.segmenter is not None:
        cells = clear_cells(answers[0]["heat"], answers[0]["box"], bundle.manifest.segmenter)
        write_golden(out / GOLDEN, pictures, cells=cells)
    else:
        clear = [index for index, one in enumerate(answers) if _lead(one["logits"]) > 0.5]
        classes = np.array([int(np.argmax(answers[index]["logits"])) for index in clear])
        write_golden(out / GOLDEN, pictures[clear], classes=classes)
    return _write(out, facts, files)


def _complete(facts: dict[str, Any], signature: dict[str, Any]) -> None:
    """Add what training found: thresholds, or the order of the classes and the temperature."""
    if facts["kind"] == "segmenter":
        # Those of the training are a start; tools/choose_thresholds.py judges the int8 network and writes its own.
        facts["segmenter"].setdefault("thresholds", dict(zip(KINDS, signature["thresholds"], strict=True)))
        return
    described = {one["key"]: one for one in facts["classifier"]["classes"]}
    if set(described) != set(signature["classes"]):
        raise SystemExit(f"the facts describe other classes than the network has: {signature['classes']}")
    facts["classifier"]["classes"] = [described[key] for key in signature["classes"]]
    facts["classifier"]["temperature"] = round(signature["temperature"], 4)


def _lead(logits: NDArray[np.float32]) -> float:
    """How far the best class is ahead: a tie may fall either way by rounding."""
    second, best = np.sort(logits)[-2:]
    return float(best - second)


def _write(out: Path, facts: dict[str, Any], files: dict[str, Any]) -> Bundle:
    golden = {"path": GOLDEN, "sha256": _sha256(out / GOLDEN)}
    content = {**facts, "golden": golden, "files": files}
    (out / "manifest.toml").write_text(_as_toml(content), "utf-8")
    return Bundle.read(out)


def _as_toml(table: dict[str, Any], prefix: str = "") -> str:
    """Plain TOML: values first, then tables; a list of tables becomes inline tables, one a line."""
    lines, tables = [], []
    for key, value in table.items():
        if isinstance(value, dict):
            tables.append(f"\n[{prefix}{key}]\n{_as_toml(value, f'{prefix}{key}.')}")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            rows = ",\n".join(
                "    { " + ", ".join(f"{name} = {json.dumps(one)}" for name, one in row.items()) + " }" for row in value
            )
            lines.append(f"{key} = [\n{rows},\n]")
        else:
            lines.append(f"{key} = {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines) + "\n" + "".join(tables)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


if __name__ == "__main__":
    main()
