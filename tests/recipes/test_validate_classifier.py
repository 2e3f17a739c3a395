from dataclasses import replace
from pathlib import Path

import pytest

import pack
from leukoscope.inference.bundle import Bundle
from leukoscope.system.assets import find_asset
from tables import Crop
from validate_classifier import NamedCrop, limit_of_suspicion
from vocabulary import Suspected, Vocabulary

FACTS = Path(pack.__file__).with_name("classifier.toml")
BUNDLE = Bundle.read(find_asset("models", "classifier"))
VOCABULARY = replace(Vocabulary.read(FACTS), suspected={"blast": Suspected(0.05, 0.06, ("promyelocyte",))})


def cells(label: str, count: int, **shares: float) -> list[NamedCrop]:
    crop = Crop(collection="pbc", label=label, group="", split="val", path=Path("cell.png"), um_per_px=0.1)
    return [NamedCrop(crop, (label,), {label: 1 - sum(shares.values())} | shares) for _ in range(count)]


def above(named: list[NamedCrop]) -> float:
    limit = limit_of_suspicion(named, "blast", BUNDLE, VOCABULARY)
    assert limit is not None
    assert isinstance(limit["above"], float)
    return limit["above"]


def test_the_limit_of_suspicion_counts_the_classes_that_blasts_are_taken_for() -> None:
    plain = cells("monocyte", 94, blast=0.01)
    assert above([*plain, *cells("monocyte", 6, blast=0.01, promyelocyte=0.2)]) == pytest.approx(0.21, abs=0.0011)
    named_myelocyte = cells("monocyte", 6, blast=0.01, promyelocyte=0.2, myelocyte=0.7)
    assert above([*plain, *named_myelocyte]) == 0.01, "stages shade into each other"


def test_the_false_share_is_no_less_than_what_is_expected_elsewhere() -> None:
    few, many = cells("monocyte", 2, blast=0.5), cells("monocyte", 98, blast=0.01)
    limit = limit_of_suspicion([*few, *many], "blast", BUNDLE, VOCABULARY)
    assert limit is not None
    assert limit["false_share"] == 0.06


def test_cells_of_these_classes_and_their_stages_do_not_raise_the_limit() -> None:
    stages = [*cells("promyelocyte", 30), *cells("myelocyte", 30, promyelocyte=0.6), *cells("blast", 30)]
    assert above([*cells("monocyte", 100, blast=0.01), *stages]) == 0.01


def test_of_too_few_cells_there_is_no_limit() -> None:
    assert limit_of_suspicion(cells("monocyte", 5), "blast", BUNDLE, VOCABULARY) is None
