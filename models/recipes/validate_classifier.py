"""Judges an int8 classifier on cells it has not learnt from: temperature, limit of `unsure`, confusion matrices."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from leukoscope.analysis.classification import Classifier
from leukoscope.cameras.pictures import read_picture
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.inference.validation import ConfusionMatrix, Validation
from leukoscope.specimen.cell import UNSURE
from tables import Crop
from vocabulary import Vocabulary

MAX_UNSURE = 0.06
"""Share of the validation cells that may be unsure."""
TEMPERATURES = tuple(float(value) for value in np.exp(np.arange(np.log(0.4), np.log(3.0), 0.02)))
HeldOutBy = Literal["patient", "slide", "picture"]
_HELD_OUT_BY: dict[str, HeldOutBy] = {
    "deepapl": "patient",
    "raabin": "slide",
    "pbc": "picture",
    "pathbites": "picture",
}
"""Of the shared collection; pbc and pathbites do not tell patients apart."""


@dataclass(frozen=True, slots=True)
class NamedCrop:
    """One labelled cell and what a network of temperature 1 says about it."""

    crop: Crop
    meant: tuple[str, ...]
    """The classes its label may mean."""
    probabilities: dict[str, float]


def name_all(bundle: Bundle, crops: Sequence[Crop], vocabulary: Vocabulary) -> list[NamedCrop]:
    """Names every crop whose label means something to the vocabulary."""
    classifier = _classifier(bundle, temperature=1.0, unsure_below=0.0)
    named = []
    for crop in track(crops, description="validation", transient=True, console=Console(stderr=True)):
        meant = tuple(vocabulary.classes[index] for index in vocabulary.indices(crop.label))
        if meant:
            named.append(NamedCrop(crop, meant, classifier.name_crop(read_picture(crop.path), crop.um_per_px)))
    return named


def fitted_temperature(named: Sequence[NamedCrop]) -> float:
    """The temperature with the least negative log-likelihood of the labels (Guo et al. 2017)."""
    logs = np.log(np.array([list(one.probabilities.values()) for one in named]) + 1e-12)
    keys = list(named[0].probabilities)
    allowed = np.array([[key in one.meant for key in keys] for one in named])

    def surprise(temperature: float) -> float:
        shares = _softened(logs, temperature)
        return -float(np.log(np.maximum((shares * allowed).sum(axis=1), 1e-12)).mean())

    return min(TEMPERATURES, key=surprise)


def softened(named: Sequence[NamedCrop], temperature: float) -> list[NamedCrop]:
    """The same with every probability at another temperature."""
    logs = np.log(np.array([list(one.probabilities.values()) for one in named]) + 1e-12)
    shares = _softened(logs, temperature)
    return [
        NamedCrop(one.crop, one.meant, dict(zip(one.probabilities, row.tolist(), strict=True)))
        for one, row in zip(named, shares, strict=True)
    ]


def limit_of_unsure(named: Sequence[NamedCrop], bundle: Bundle) -> float:
    """The highest limit, in hundredths, that leaves no more than `MAX_UNSURE` of the cells unsure."""
    classifier = _classifier(bundle, temperature=1.0, unsure_below=0.0)
    surest = np.array([classifier.best(one.probabilities)[1] for one in named])
    return float(np.floor(100 * np.quantile(surest, MAX_UNSURE)) / 100)


def confusion(named: Sequence[NamedCrop], bundle: Bundle, vocabulary: Vocabulary) -> Validation:
    """What every collection's cells are called by the bundle as it stands."""
    assert bundle.manifest.classifier is not None
    classifier = _classifier(bundle, 1.0, bundle.manifest.classifier.unsure_below)
    answers = (*(one.key for one in bundle.manifest.classifier.classes), UNSURE)
    matrices = []
    for collection in sorted({one.crop.collection for one in named}):
        cells = [one for one in named if one.crop.collection == collection]
        truths = [vocabulary.truth_of(one.crop.label) for one in cells]
        labels = tuple(sorted(set(truths)))
        counts = np.zeros((len(labels), len(answers)), dtype=int)
        for truth, one in zip(truths, cells, strict=True):
            answer, _ = classifier.decide(one.probabilities)
            counts[labels.index(truth), answers.index(answer)] += 1
        matrices.append(
            ConfusionMatrix(
                collection=collection,
                held_out_by=_HELD_OUT_BY.get(collection) or _of_a_folder(cells),
                truth=labels,
                named=answers,
                counts=tuple(tuple(row) for row in counts.tolist()),
            )
        )
    return Validation(matrices=tuple(matrices))


def _of_a_folder(cells: Sequence[NamedCrop]) -> HeldOutBy:
    """A folder per patient below the classes, or pictures alone, each its own group."""
    return "patient" if any(one.crop.group != one.crop.path.stem for one in cells) else "picture"


def _classifier(bundle: Bundle, temperature: float, unsure_below: float) -> Classifier:
    assert bundle.manifest.classifier is not None
    facts = bundle.manifest.classifier.model_copy(update={"temperature": temperature, "unsure_below": unsure_below})
    bundle = Bundle(bundle.folder, bundle.manifest.model_copy(update={"classifier": facts}))
    return Classifier(bundle, OnnxSettings(threads=1).open(bundle))


def _softened(logs: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    scaled = logs / temperature
    weights = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
