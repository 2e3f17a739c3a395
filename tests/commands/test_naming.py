"""From a classifier's bundle to what a tally knows about its mistakes."""

import hashlib
from pathlib import Path

import pytest

from leukoscope.errors import BundleError
from leukoscope.inference.bundle import Bundle, Manifest
from leukoscope.service.models import naming_of
from tests.bundles import classifier_bundle, manifest, segmenter_bundle
from tests.statistics.validations import FACTS, VALIDATION


def validated_bundle(folder: Path) -> Bundle:
    content = VALIDATION.model_dump_json().encode()
    (folder / "validation.json").write_bytes(content)
    facts = manifest(
        "classifier",
        input={"rows": 40, "cols": 40, "um_per_px": 0.2},
        classifier=FACTS.model_dump(mode="json"),
        validation={"path": "validation.json", "sha256": hashlib.sha256(content).hexdigest()},
    )
    return Bundle(folder, Manifest.model_validate(facts))


def test_a_bundle_with_a_validation_can_be_corrected(tmp_path: Path) -> None:
    naming = naming_of(validated_bundle(tmp_path))
    assert naming.correction is not None
    assert naming.correction.validated_cells(["segmented"]) == 100
    assert naming.groups == FACTS.groups


def test_a_bundle_without_a_validation_cannot() -> None:
    assert naming_of(classifier_bundle()).correction is None


def test_a_validation_that_was_altered_is_refused(tmp_path: Path) -> None:
    bundle = validated_bundle(tmp_path)
    with (tmp_path / "validation.json").open("ab") as file:
        file.write(b" ")
    with pytest.raises(BundleError, match="not the file its manifest names"):
        naming_of(bundle)


def test_a_segmenter_names_nothing() -> None:
    with pytest.raises(BundleError, match="no classifier"):
        naming_of(segmenter_bundle())
