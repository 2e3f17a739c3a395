"""Judges an int8 classifier on cells it has not learnt from: temperature, limit of `unsure`, confusion matrices."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from leukoscope.analysis.classifier import Classifier
from leukoscope.cameras.pictures import read_picture
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.network import Network, Outputs
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.inference.validation import ConfusionMatrix, Validation
from leukoscope.specimen.cell import UNSURE
from tables import Crop
from vocabulary import Vocabulary

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from evaluation.cell_pictures import in_the_middle

MAX_UNSURE = 0.06
"""Share of the validation cells that may be unsure."""
TEMPERATURES = tuple(float(value) for value in np.exp(np.arange(np.log(0.4), np.log(3.0), 0.02)))
HeldOutBy = Literal["patient", "slide", "picture"]
_HELD_OUT_BY: dict[str, HeldOutBy] = {
    "deepapl": "patient",
    "raabin": "slide",
    "pbc": "picture",
    "pathbites": "picture",
    "krd_wbc": "picture",
    "seg_wbc": "picture",
    "deepbionet": "picture",
    "bccd": "picture",
    "taleqani": "picture",
    "cnmc": "patient",
}
"""Of the shared collection; those by picture do not tell patients apart."""


NO_WHITE_CELLS = frozenset(
    ("platelet", "giant_thrombocyte", "thrombocyte_aggregation", "erythroblast", "smudge", "artefact")
)
FEWEST_FOR_A_SHARE = 100
"""A laboratory in which one cell is more than a hundredth says nothing about a share of a few hundredths."""


@dataclass(frozen=True, slots=True)
class NamedCrop:
    """One labelled cell and what the bundle says about it."""

    crop: Crop
    meant: tuple[str, ...]
    """The classes its label may mean."""
    probabilities: dict[str, float]


def fitted_temperature(bundle: Bundle, crops: Sequence[Crop], vocabulary: Vocabulary) -> float:
    """The temperature (Guo et al. 2017) with the least Brier score (1950) of the labels, at first looks.

    Not with the likeliest labels: where label smoothing is taken back a class may have no probability at all.
    """
    assert bundle.manifest.classifier is not None
    keys = [one.key for one in bundle.manifest.classifier.classes]
    network = _LogitsKept(OnnxSettings(threads=1).open(bundle))
    named = _name_all(Classifier(bundle, network), crops, vocabulary)
    logits = np.array(network.first)
    allowed = np.array([[key in one.meant for key in keys] for one in named])

    def brier_score(temperature: float) -> float:
        weights = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
        smoothed = weights / weights.sum(axis=1, keepdims=True)
        shares = np.maximum(smoothed - vocabulary.label_smoothing / len(keys), 0.0)
        shares /= shares.sum(axis=1, keepdims=True)
        missed = 1.0 - (shares * allowed).sum(axis=1)
        return float(np.mean(missed**2 + (shares**2 * ~allowed).sum(axis=1)))

    return min(TEMPERATURES, key=brier_score)


def name_all(bundle: Bundle, crops: Sequence[Crop], vocabulary: Vocabulary) -> list[NamedCrop]:
    """What the bundle says about every crop whose label means something to the vocabulary."""
    return _name_all(Classifier(bundle, OnnxSettings(threads=1).open(bundle)), crops, vocabulary)


def limit_of_unsure(named: Sequence[NamedCrop], bundle: Bundle) -> float:
    """The highest limit, in thousandths, that leaves no more than `MAX_UNSURE` of the cells unsure."""
    classifier = Classifier(bundle, OnnxSettings(threads=1).open(bundle))
    surest = np.array([max(0.0, 1.0 - classifier.cheapest(one.probabilities)[1]) for one in named])
    return float(np.floor(1000 * np.quantile(surest, MAX_UNSURE, method="lower")) / 1000)


def limit_of_suspicion(
    named: Sequence[NamedCrop], key: str, bundle: Bundle, vocabulary: Vocabulary
) -> dict[str, float | tuple[str, ...]] | None:
    """The least suspicion of a class, in thousandths, that few enough normal cells of any laboratory pass.

    Stages of the classes of `beside` are not judged: a person is to look at these in any case.

    Returns:
        `above`, `beside` and, as `false_share`, what passes it in the laboratory where most does, or what is expected
        elsewhere, if that is more; None without enough cells.
    """
    classifier = Classifier(bundle, OnnxSettings(threads=1).open(bundle))
    said = vocabulary.suspected[key]
    looked_at = {key, *map(vocabulary.group_of, said.beside)}
    suspicions: dict[str, list[float]] = {}
    for one in named:
        crop = one.crop
        if crop.collection not in vocabulary.normal_donors or crop.label in NO_WHITE_CELLS:
            continue
        if vocabulary.group_of(vocabulary.truth_of(crop.label)) not in looked_at:
            name = classifier.decide(one.probabilities).cell_class
            suspicion = classifier.suspicion(one.probabilities, name, key, said.beside)
            suspicions.setdefault(crop.collection, []).append(suspicion)
    enough = [np.array(found) for found in suspicions.values() if len(found) >= FEWEST_FOR_A_SHARE]
    if not enough:
        return None
    limits = [np.quantile(found, 1 - said.share, method="higher") for found in enough]
    above = float(np.ceil(1000 * max(limits)) / 1000)
    passed = max(float(np.mean(found > above)) for found in enough)
    return {"above": above, "beside": said.beside, "false_share": round(max(passed, said.elsewhere), 4)}


def confusion(named: Sequence[NamedCrop], bundle: Bundle, vocabulary: Vocabulary) -> Validation:
    """What every collection's cells are called by the bundle as it stands."""
    assert bundle.manifest.classifier is not None
    classifier = Classifier(bundle, OnnxSettings(threads=1).open(bundle))
    answers = (*(one.key for one in bundle.manifest.classifier.classes), UNSURE)
    matrices = []
    for collection in sorted({one.crop.collection for one in named}):
        cells = [one for one in named if one.crop.collection == collection]
        truths = [vocabulary.truth_of(one.crop.label) for one in cells]
        labels = tuple(sorted(set(truths)))
        counts = np.zeros((len(labels), len(answers)), dtype=int)
        for truth, one in zip(truths, cells, strict=True):
            answer, *_ = classifier.decide(one.probabilities)
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


def _name_all(classifier: Classifier, crops: Sequence[Crop], vocabulary: Vocabulary) -> list[NamedCrop]:
    named = []
    for crop in track(crops, description="validation", transient=True, console=Console(stderr=True)):
        meant = tuple(vocabulary.classes[index] for index in vocabulary.indices(crop.label))
        if meant and not {crop.label, crop.collection} & vocabulary.not_judged:
            picture = in_the_middle(read_picture(crop.path), crop.mask, crop.centre)
            named.append(NamedCrop(crop, meant, classifier.name_crop(picture, crop.um_per_px)))
    return named


class _LogitsKept:
    """A network whose answers are kept; every cell is clear to it at once, so that it is asked once for each."""

    def __init__(self, network: Network) -> None:
        self.engine = network.engine
        self.first: list[NDArray[np.float32]] = []
        self._network = network

    def run(self, picture: NDArray[np.uint8]) -> Outputs:
        """Keep the logits, answer with certainty."""
        logits = self._network.run(picture)["logits"]
        self.first.append(logits)
        # Not by the maximum's value: of quantised logits two may be alike.
        return {"logits": np.where(np.arange(len(logits)) == logits.argmax(), np.float32(100), np.float32(0))}
