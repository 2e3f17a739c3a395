"""From a classifier's bundle to what a tally knows about its mistakes."""

import hashlib
from pathlib import Path

import pytest

from leukoscope.errors import BundleError
from leukoscope.inference.bundle import Bundle, Manifest
from leukoscope.service.models import naming_of
from tests.bundles import manifest, segmenter_bundle
from tests.statistics.validations import FACTS, VALIDATION


def validated_bundle(folder: Path, **changes: object) -> Bundle:
    content = VALIDATION.model_dump_json().encode()
    (folder / "validation.json").write_bytes(content)
    facts = manifest(
        "classifier",
        input={"rows": 40, "cols": 40, "um_per_px": 0.2},
        classifier={**FACTS.model_dump(mode="json"), **changes},
        validation={"path": "validation.json", "sha256": hashlib.sha256(content).hexdigest()},
    )
    return Bundle(folder, Manifest.model_validate(facts))


def test_a_bundle_alone_corrects_nothing_and_says_what_to_expect_of_a_bench_that_nobody_verified(
    tmp_path: Path,
) -> None:
    plain = naming_of(validated_bundle(tmp_path))
    assert plain.correction is None
    assert "this bench is not verified" in plain.not_verified
    measured = naming_of(validated_bundle(tmp_path, left_out={"one": 0.695, "another": 0.901}))
    assert "named 70 to 90 of 100 cells right" in measured.not_verified


def test_a_segmenter_names_nothing() -> None:
    with pytest.raises(BundleError, match="no classifier"):
        naming_of(segmenter_bundle())
