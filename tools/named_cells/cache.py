"""Names every labelled cell of the validation split once and keeps the probabilities in `out/named-cells/`."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from evaluation.tables import LabelledCrop, data_folder, read_cell, read_crops
from leukoscope.analysis.classifier import Classifier
from leukoscope.inference.bundle import Bundle, ClassifierFacts
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.system.assets import find_asset

LABORATORIES = (
    *("pbc", "deepapl", "raabin", "krd_wbc", "seg_wbc", "deepbionet", "bccd", "pathbites", "taleqani", "cnmc"),
    "munich",
)
"""Every set of the picture collection with labelled white cells."""
_ROOT = Path(__file__).resolve().parents[2]
KEPT = _ROOT / "out" / "named-cells"
_FACTS = _ROOT / "models" / "recipes"


@dataclass(frozen=True, slots=True)
class NamedCells:
    """The cells of one laboratory, in one order."""

    laboratory: str
    labels: tuple[str, ...]
    """As the collection has them."""
    groups: tuple[str, ...]
    """Patient, slide or picture."""
    probabilities: NDArray[np.float64]
    """Shape (cells, classes), in the order of the bundle's classes."""
    answers: tuple[str, ...]
    """A class, or `unsure`."""

    def __len__(self) -> int:
        return len(self.labels)


def opened(classifier: str) -> tuple[Bundle, ClassifierFacts, Path]:
    """A classifier's bundle, what it says of its classes, and the folder of labelled pictures.

    Raises:
        BadParameter: there are no labelled pictures, or it is no classifier.
    """
    data = data_folder()
    if data is None:
        raise typer.BadParameter("no labelled pictures found: set LEUKOSCOPE_DATA to the data folder")
    bundle = Bundle.read(find_asset("models", classifier))
    facts = bundle.manifest.classifier
    if facts is None:
        raise typer.BadParameter(f"{classifier} is no classifier")
    return bundle, facts, data


def named_cells(
    bundle: Bundle, data: Path, laboratories: Sequence[str] = LABORATORIES, split: str = "val"
) -> dict[str, NamedCells]:
    """The cells of these laboratories, by laboratory; named now where no earlier run with this bundle named them."""
    facts = bundle.manifest.classifier
    if facts is None:
        raise ValueError(f"{bundle.folder} is no classifier")
    keys = [one.key for one in facts.classes]
    classifier = Classifier(bundle, OnnxSettings(threads=1).open(bundle))
    found = {}
    for laboratory in laboratories:
        crops = read_crops(data, laboratory, split)
        probabilities = _probabilities(bundle, classifier, laboratory, split, crops, keys)
        answers = tuple(classifier.decide(dict(zip(keys, row, strict=True)))[0] for row in probabilities.tolist())
        found[laboratory] = NamedCells(
            laboratory,
            tuple(crop.label for crop in crops),
            tuple(crop.group or crop.path.stem for crop in crops),
            probabilities,
            answers,
        )
    return found


def meanings(bundle: Bundle) -> Mapping[str, tuple[str, ...]]:
    """Which classes of the bundle each label of the collection may mean that is no class, by the bundle's recipe."""
    path = _FACTS / f"{bundle.manifest.name}.toml"
    if not path.exists():
        path = _FACTS / "classifier.toml"
    means = tomllib.loads(path.read_text("utf-8")).get("training", {}).get("means", {})
    return {label: tuple(may) for label, may in means.items()}


def _probabilities(
    bundle: Bundle, classifier: Classifier, laboratory: str, split: str, crops: Sequence[LabelledCrop], keys: list[str]
) -> NDArray[np.float64]:
    kept = KEPT / f"{bundle.digest('onnx')[:16]}-{laboratory}-{split}.npz"
    paths = np.array([f"{crop.path.parent.name}/{crop.path.name}#{crop.centre}" for crop in crops])
    if kept.exists():
        with np.load(kept) as stored:
            if np.array_equal(stored["paths"], paths) and list(stored["keys"]) == keys:
                return np.asarray(stored["probabilities"], dtype=np.float64)
    rows = np.zeros((len(crops), len(keys)))
    shown = track(crops, description=laboratory, transient=True, console=Console(stderr=True))
    for row, crop in zip(rows, shown, strict=True):
        named = classifier.name_crop(read_cell(crop), crop.um_per_px)
        row[:] = [named[key] for key in keys]
    kept.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(kept, probabilities=rows, paths=paths, keys=np.array(keys))
    return rows
