"""Names the white cells of healthy simulated slides, as the device cuts them out of its fields."""

import hashlib
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from leukoscope import simulation
from leukoscope.analysis.classifier import Classifier
from leukoscope.cameras.simulated import SimulatedCamera, SimulatedCameraSettings
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.simulation.microscope import MicroscopeSettings
from leukoscope.simulation.smear import SmearSettings
from leukoscope.specimen.cell import CellKind
from leukoscope.specimen.frame import Pixels
from named_cells.cache import KEPT, NamedCells

UM_PER_PX = 0.127
WHITE_PER_1000_RBC = 100.0
"""Fifty times normal blood, so that few fields are drawn for many white cells; the mix of classes stays normal."""
FIRST_SEED = 5000


def healthy_slides(bundle: Bundle, slides: int, cells: int) -> NamedCells:
    """Cells of healthy slides, named now where no earlier run with this bundle named them.

    Cells lie where the simulation put them: what the segmenter misses is not in it.

    Args:
        bundle: the classifier's.
        slides: each with a stain of its own.
        cells: of each slide, in the order in which they are seen.
    """
    facts = bundle.manifest.classifier
    if facts is None:
        raise ValueError(f"{bundle.folder} is no classifier")
    keys = [one.key for one in facts.classes]
    classifier = Classifier(bundle, OnnxSettings(threads=1).open(bundle))
    kept = KEPT / f"{bundle.digest('onnx')[:16]}-simulated-{slides}x{cells}-{_looks_digest()}.npz"
    if not kept.exists():
        _name(classifier, keys, slides, cells, kept)
    with np.load(kept) as stored:
        rows, labels = np.asarray(stored["probabilities"], dtype=np.float64), stored["labels"].tolist()
    return NamedCells(
        "simulated",
        tuple(labels),
        tuple(f"slide {number // cells + 1}" for number in range(len(labels))),
        rows,
        tuple(classifier.decide(dict(zip(keys, row, strict=True)))[0] for row in rows.tolist()),
    )


def _looks_digest() -> str:
    """Changes with the simulation's code: cells that look otherwise are named anew."""
    digest = hashlib.sha256()
    for path in sorted(Path(simulation.__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def _name(classifier: Classifier, keys: list[str], slides: int, cells: int, kept: Path) -> None:
    labels, rows = [], []
    shown = track(range(slides), description="simulated slides", transient=True, console=Console(stderr=True))
    for slide in shown:
        seed = FIRST_SEED + slide
        camera = SimulatedCameraSettings(
            smear=SmearSettings(seed=seed, white_per_1000_rbc=WHITE_PER_1000_RBC),
            microscope=MicroscopeSettings(seed=seed, width=640, height=480, um_per_px=UM_PER_PX),
        ).open()
        for label, cut in _white_cells(camera, cells):
            named = classifier.name_crop(cut, UM_PER_PX)
            labels.append(label)
            rows.append([named[key] for key in keys])
    kept.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(kept, probabilities=np.array(rows), labels=np.array(labels))


def _white_cells(camera: SimulatedCamera, cells: int) -> list[tuple[str, Pixels]]:
    """Class and surroundings of so many whole white cells."""
    found: list[tuple[str, Pixels]] = []
    seen: set[tuple[float, float]] = set()
    while len(found) < cells:
        pixels = camera.capture().pixels
        for cell in camera.truth:
            if (
                cell.kind is CellKind.WBC
                and not cell.touches_border
                and (place := (cell.cell.x_um, cell.cell.y_um)) not in seen
            ):
                seen.add(place)
                row, col = (cell.box.row + cell.box.row_end) // 2, (cell.box.col + cell.box.col_end) // 2
                half = min(row, col, pixels.shape[0] - row, pixels.shape[1] - col)
                found.append((cell.cell_class, pixels[row - half : row + half, col - half : col + half]))
    return found[:cells]
