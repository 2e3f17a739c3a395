"""Replays a bundle's golden pair: every engine on every board must reach the same decisions."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from leukoscope.analysis.peaks import Boxes, find_boxes, overlap
from leukoscope.errors import BundleError
from leukoscope.inference.bundle import Bundle, SegmenterFacts
from leukoscope.inference.network import Network
from leukoscope.system.npz import read_arrays

CLEAR_SCORE = 0.1
"""A cell this far above its threshold is a clear decision; fainter ones may differ by rounding."""
SAME_BOX_IOU = 0.7
CLEAR_LEAD = 0.5
"""How far the best class is ahead in a golden picture: a tie may fall either way by rounding."""


@dataclass(frozen=True, slots=True)
class GoldenCheck:
    """What came of a replay."""

    decisions: int
    """Decisions the golden pair expects."""
    agreed: int
    """Decisions this engine reached too."""
    surplus: int
    """Clear decisions this engine made that the golden pair does not know."""
    ms_per_run: float
    """Milliseconds per run of the network, after one run to warm up."""

    @property
    def passed(self) -> bool:
        """Every decision agrees."""
        return self.agreed == self.decisions and self.surplus == 0


def replay(bundle: Bundle, network: Network) -> GoldenCheck:
    """Run the golden inputs and compare decisions.

    Raises:
        BundleError: the golden file is missing, altered or malformed.
    """
    pictures, expected = golden_pair(bundle)
    try:
        network.run(pictures[0])
        begin = time.perf_counter()
        outputs = [network.run(picture) for picture in pictures]
        ms = 1000 * (time.perf_counter() - begin) / len(outputs)
        if bundle.manifest.classifier is not None:
            logits = np.stack([one["logits"] for one in outputs])
            if logits.shape != (len(pictures), len(bundle.manifest.classifier.classes)):
                raise ValueError(f"the network names {logits.shape[1:]} classes")
            return GoldenCheck(len(expected), int((logits.argmax(axis=1) == expected).sum()), 0, ms)
        facts = _segmenter_facts(bundle)
        if facts.side_multiple_px is not None:
            _require_any_size(network, pictures[0][: 4 * facts.side_multiple_px], facts.stride)
        found = clear_cells(outputs[0]["heat"], outputs[0]["box"], facts, margin=0.0)
        clear = clear_cells(outputs[0]["heat"], outputs[0]["box"], facts, margin=2 * CLEAR_SCORE)
    except BundleError:
        raise
    except Exception as error:  # each runtime raises its own, undocumented exception types
        name, why = bundle.manifest.name, " ".join(str(error).split())
        raise BundleError(
            f"the network of bundle {name} does not fit its manifest: {why}", "install the bundle again"
        ) from error
    return GoldenCheck(len(expected), _matched(expected, found), len(clear) - _matched(clear, expected), ms)


def _require_any_size(network: Network, picture: NDArray[np.uint8], stride: int) -> None:
    rows, cols = (side // stride for side in picture.shape[:2])
    if any(values.shape[:2] != (rows, cols) for values in network.run(picture).values()):
        raise ValueError(f"it does not answer {rows}x{cols} points to {picture.shape[0]}x{picture.shape[1]} pixels")


def _segmenter_facts(bundle: Bundle) -> SegmenterFacts:
    if bundle.manifest.segmenter is None:
        raise BundleError(
            f"bundle {bundle.manifest.name} says nothing about a segmenter", "give the bundle of a segmenter"
        )
    return bundle.manifest.segmenter


def golden_pair(bundle: Bundle) -> tuple[NDArray[np.uint8], NDArray[Any]]:
    """Pictures, shape (n, rows, cols, 3), and decisions: classes (n,) or clear cells (m, 5) of the first picture.

    Raises:
        BundleError: the golden file is missing, altered or malformed.
    """
    shape, finds_cells = bundle.manifest.input, bundle.manifest.classifier is None
    decisions = "cells" if finds_cells else "classes"
    path = bundle.golden_path()
    try:
        golden = read_arrays(path.read_bytes())
    except ValueError as error:
        raise _malformed(bundle, str(error)) from error
    if missing := {"pictures", decisions} - golden.keys():
        raise _malformed(bundle, f"expected arrays pictures and {decisions}, found no {min(missing)}")
    pictures, expected = golden["pictures"], golden[decisions]
    if pictures.dtype != np.uint8 or pictures.shape[1:] != (shape.rows, shape.cols, 3) or not pictures.size:
        raise _malformed(
            bundle,
            f"expected pictures of {shape.rows}x{shape.cols}, found {pictures.dtype} of shape {pictures.shape}",
        )
    right = expected.shape[1:] == (5,) if finds_cells else expected.shape == (len(pictures),)
    if not right or expected.dtype.kind not in "iuf":
        wanted = "(cells, 5)" if finds_cells else f"({len(pictures)},)"
        raise _malformed(
            bundle,
            f"expected decisions of shape {wanted} in numbers, found {expected.dtype} of shape {expected.shape}",
        )
    return pictures, expected


def _malformed(bundle: Bundle, why: str) -> BundleError:
    return BundleError(
        f"the golden pair of bundle {bundle.manifest.name} is malformed: {why}", "install the bundle again"
    )


def clear_cells(
    heat: NDArray[np.float32], box: NDArray[np.float32], facts: SegmenterFacts, margin: float = CLEAR_SCORE
) -> NDArray[np.float32]:
    """Cells at least `margin` above their threshold: kind, xmin, ymin, xmax, ymax; shape (n, 5)."""
    thresholds = [facts.thresholds[kind] for kind in ("rbc", "wbc", "platelet")]
    found: Boxes = find_boxes(heat, box, thresholds=thresholds, stride=facts.stride)
    clear = found.score >= np.asarray(thresholds, dtype=np.float32)[found.kind] + margin
    return np.concatenate([found.kind[:, None], found.corners()], axis=1)[clear].astype(np.float32)


def clear_lead(logits: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which pictures a classifier is clear about, (n,), by its logits (n, classes)."""
    return np.asarray(np.diff(np.sort(logits, axis=1)[:, -2:], axis=1)[:, 0] > CLEAR_LEAD)


def write_golden(path: Path | IO[bytes], pictures: NDArray[np.uint8], **decisions: NDArray[np.generic]) -> None:
    """Store golden inputs, shape (n, rows, cols, 3), and the decisions `replay` expects for them."""
    np.savez_compressed(path, pictures=pictures, **decisions)  # type: ignore[arg-type]


def _matched(wanted: NDArray[np.float32], there: NDArray[np.float32]) -> int:
    """How many of `wanted` have a box of their kind in `there`."""
    if len(wanted) == 0 or len(there) == 0:
        return 0
    same_kind = wanted[:, None, 0] == there[None, :, 0]
    return int(((overlap(wanted[:, 1:], there[:, 1:]) >= SAME_BOX_IOU) & same_kind).any(axis=1).sum())
