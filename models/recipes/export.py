"""From a checkpoint to what the device loads: int8 ONNX, int8 LiteRT, and a check of their decisions."""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

import classifier_net
import judge_segmenter
import segmenter_grid
import segmenter_net
from any_size import free_litert, free_onnx
from cells import Cell, artefact_cells, centred, labelled_cells, simulated_artefact_cells
from device_code import FEATURES, Boxes, Head, find_boxes
from engines import Engine, LiteRtEngine, OnnxEngine, TorchEngine
from judge_segmenter import Case, matched_pairs
from quantise import to_litert, to_onnx, write_signature
from remember import ARTEFACTS, SEED, remembered
from scenes import Picture
from tables import KINDS, Crop, add_collection, collected, fields
from vocabulary import Vocabulary

ONNX_FILE, LITERT_FILE = "network.int8.onnx", "network.int8.tflite"
SIGNATURE_FILE, COMPARED_FILE = "signature.json", "compared.json"
HEAD_FILE, KNOWN_FILE = "head.npz", "known.npz"


@dataclass(frozen=True, slots=True)
class Kind:
    """What export has to know about one kind of network."""

    net: nn.Module
    outputs: tuple[str, ...]
    calibration: Sequence[Picture]
    any_size: bool
    """Whether the files are to take pictures of any size."""


def segmenter(checkpoint: dict[str, Any], calibrate: int) -> Kind:
    """The segmenter with train fields on its deployed canvas."""
    net = segmenter_net.SegmenterNet()
    net.load_state_dict(checkpoint["weights"])
    pictures = []
    # The boards' fields fill the canvas, as deepbionet's do; the smaller ones of txl add laboratories.
    for collection, share in (("deepbionet", 0.6), ("txl", 0.4)):
        found = fields(collection, "train")
        chosen = np.random.default_rng(3).permutation(len(found))[: round(share * calibrate)]
        pictures += [judge_segmenter.case(found[index], segmenter_grid.TILE).picture for index in chosen]
    return Kind(net.eval(), ("heat", "box", "mask"), pictures, any_size=True)


def classifier(checkpoint: dict[str, Any], cells: Sequence[Cell]) -> Kind:
    """The classifier with training cells to calibrate on."""
    net = classifier_net.ClassifierNet(len(checkpoint["classes"]))
    net.load_state_dict(checkpoint["weights"])
    pictures = [np.ascontiguousarray(centred(cell.picture)) for cell in cells]
    return Kind(classifier_net.Seeing(net).eval(), (FEATURES,), pictures, any_size=False)


def head_of(checkpoint: dict[str, Any]) -> Head:
    """The classifier's last layer."""
    return Head(*(checkpoint["weights"][f"name.{part}"].float().numpy() for part in ("weight", "bias")))


def known_to(seeing: nn.Module, options: argparse.Namespace, vocabulary: Vocabulary) -> NDArray[np.float32]:
    """What the head is given on cells that the network learnt from, for `leukoscope adapt`."""
    empty = artefact_cells if options.folder is None else simulated_artefact_cells
    artefacts = empty(ARTEFACTS, SEED, vocabulary)
    return remembered(seeing, collected(options, "train"), artefacts, vocabulary).astype(np.float32)


def compare_segmenters(engines: dict[str, Engine], thresholds: Sequence[float], count: int) -> dict[str, Any]:
    """F1 of every engine on validation fields, and how far its boxes are float's (IoU 0.7, same kind)."""
    cases = judge_segmenter.validation_cases(count // 2, segmenter_grid.TILE)
    report: dict[str, Any] = {}
    reference: list[Boxes] = []
    for name, engine in engines.items():
        found = []
        for case in cases:
            grids = engine(case.picture)
            found.append(find_boxes(grids["heat"], grids["box"], thresholds=thresholds, stride=segmenter_grid.STRIDE))
        reference = reference or found
        report[name] = {
            "f1": judge_segmenter.f1_by_kind(cases, found, thresholds),
            "boxes_as_float": _boxes_as(reference, found),
            "mask_as_float": _mask_as(engines["float"], engine, cases[:: max(1, len(cases) // 10)]),
            "ms": _milliseconds(engine, cases[0].picture),
        }
    return report


def compare_classifiers(engines: dict[str, Engine], head: Head, cells: Sequence[Cell]) -> dict[str, Any]:
    """Share of cells named as their label says, and named as the float network names them."""
    report: dict[str, Any] = {}
    reference: np.ndarray[Any, Any] | None = None
    for name, engine in engines.items():
        named = head.logits(np.stack([engine(centred(cell.picture))[FEATURES] for cell in cells])).argmax(axis=1)
        reference = named if reference is None else reference
        report[name] = {
            "right": float(np.mean([index in cell.classes for index, cell in zip(named, cells, strict=True)])),
            "as_float": float(np.mean(named == reference)),
            "ms": _milliseconds(engine, np.ascontiguousarray(centred(cells[0].picture))),
        }
    return report


def _spread(crops: Sequence[Crop], count: int) -> list[Crop]:
    chosen = np.random.default_rng(3).permutation(len(crops))[:count]
    return [crops[index] for index in chosen]


def _boxes_as(reference: Sequence[Boxes], found: Sequence[Boxes]) -> float:
    """Matched boxes twice over the sum of both counts: 1 when both find the same cells in the same places."""
    matched = total = 0
    for one, other in zip(reference, found, strict=True):
        for kind in range(len(KINDS)):
            mine, theirs = one.corners()[one.kind == kind], other.corners()[other.kind == kind]
            matched += matched_pairs(mine, theirs, least=0.7)
            total += len(mine) + len(theirs)
    return 2 * matched / max(1, total)


def _mask_as(reference: Engine, engine: Engine, cases: Sequence[Case]) -> float:
    """Share of mask pixels, all planes, on which two engines agree."""
    same = [np.mean((reference(c.picture)["mask"] > 0) == (engine(c.picture)["mask"] > 0)) for c in cases]
    return float(np.mean(same))


def _milliseconds(engine: Engine, picture: Picture, runs: int = 20) -> float:
    engine(picture)
    spent = []
    for _ in range(runs):
        began = time.perf_counter()
        engine(picture)
        spent.append(1000.0 * (time.perf_counter() - began))
    return statistics.median(spent)


def main() -> None:
    """Reads the command line, writes the files, prints the comparison."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--facts", type=Path, required=True, help="what the bundle is to be, as for pack.py")
    parser.add_argument("--out", type=Path, required=True)
    add_collection(parser)
    parser.add_argument(
        "--calibrate", type=int, help="training pictures to calibrate on (default: 120 fields or 600 cells)"
    )
    parser.add_argument("--compare", type=int, default=60, help="validation pictures to compare on")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    options.out.mkdir(parents=True, exist_ok=True)
    checkpoint = torch.load(options.checkpoint, map_location="cpu", weights_only=True)
    if checkpoint["kind"] == "segmenter":
        made = segmenter(checkpoint, options.calibrate or 120)
        engines, litert = write_networks(made, options.out)
        report = compare_segmenters(engines, checkpoint["thresholds"], options.compare)
        learnt = {"thresholds": list(checkpoint["thresholds"])}
    else:
        vocabulary = Vocabulary.read(options.facts)
        if tuple(checkpoint["classes"]) != vocabulary.classes:
            raise SystemExit(f"{options.checkpoint} names other classes than {options.facts}: train again")
        calibration, judged = (
            labelled_cells(_spread(collected(options, split), most), vocabulary)
            for split, most in (("train", options.calibrate or 600), ("val", options.compare))
        )
        made = classifier(checkpoint, calibration)
        engines, litert = write_networks(made, options.out)
        head = head_of(checkpoint)
        np.savez(options.out / HEAD_FILE, weights=head.weights, biases=head.biases)
        np.savez_compressed(options.out / KNOWN_FILE, moments=known_to(made.net, options, vocabulary))
        report = compare_classifiers(engines, head, judged)
        learnt = {"classes": list(checkpoint["classes"])}
    signature = {"kind": checkpoint["kind"], "litert": litert, "onnx": {"input": "image", "layout": "NCHW"}}
    write_signature(options.out / SIGNATURE_FILE, signature | learnt)
    (options.out / COMPARED_FILE).write_text(json.dumps(report, indent=1), "utf-8")
    for name, figures in report.items():
        print(
            name,
            {key: value if isinstance(value, dict) else round(value, 4) for key, value in figures.items()},
        )


def write_networks(made: Kind, out: Path) -> tuple[dict[str, Engine], dict[str, Any]]:
    """Both int8 files, and every engine that can run the network now, the float one first."""
    to_onnx(made.net, made.outputs, made.calibration, out / ONNX_FILE)
    litert = to_litert(made.net, made.outputs, made.calibration, out / LITERT_FILE)
    if made.any_size:
        free_onnx(out / ONNX_FILE)
        free_litert(out / LITERT_FILE)
    engines: dict[str, Engine] = {
        "float": TorchEngine(made.net, made.outputs),
        "onnx": OnnxEngine(out / ONNX_FILE),
        "litert": LiteRtEngine(out / LITERT_FILE, litert["outputs"]),
    }
    return engines, litert


if __name__ == "__main__":
    main()
