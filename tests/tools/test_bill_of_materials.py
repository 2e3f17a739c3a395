"""A bill of materials holds every locked package and every bundle, with hashes, and keeps the schema of CycloneDX."""

import json
from pathlib import Path
from typing import Any

import pytest

from bill_of_materials import LOCKS, as_json, bill_of_materials, bundle_component, licences
from leukoscope import __version__
from leukoscope.errors import BundleError
from leukoscope.inference.bundle import Bundle
from tests.machine.test_locks import pinned

ROOT = Path(__file__).resolve().parents[2]
LOCK = LOCKS / "device" / "x86_64-python3.11.txt"


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    return json.loads(as_json(bill_of_materials(LOCK)))


def test_every_locked_package_is_in_the_bill_with_its_version_and_hashes(bill: dict[str, Any]) -> None:
    packages = {one["name"]: one for one in bill["components"] if one["type"] == "library"}
    assert {name: one["version"] for name, one in packages.items()} == {
        name: str(version) for name, version in pinned(LOCK).items()
    }
    assert packages["numpy"]["purl"] == f"pkg:pypi/numpy@{packages['numpy']['version']}"
    listed = {hashed["content"] for one in packages.values() for hashed in one["externalReferences"][0]["hashes"]}
    assert listed == {word.removeprefix("--hash=sha256:") for word in LOCK.read_text().split() if "--hash" in word}


@pytest.mark.parametrize("name", ["segmenter", "classifier"])
def test_a_bundle_is_in_the_bill_by_the_digests_that_reports_name(bill: dict[str, Any], name: str) -> None:
    bundle = Bundle.read(ROOT / "models" / name)
    [found] = [one for one in bill["components"] if one["name"] == f"leukoscope-{name}"]
    assert found["type"] == "machine-learning-model"
    assert found["version"] == bundle.manifest.version
    assert found["licenses"][0]["license"]["name"] == bundle.manifest.licence
    assert {one["name"].rpartition(":")[2]: one["value"] for one in found["properties"]} == {
        engine: bundle.digest(engine) for engine in bundle.manifest.files
    }
    files = {one["name"]: one["hashes"] for one in found["components"]}
    assert files["network.int8.onnx"] == [{"alg": "SHA-256", "content": bundle.manifest.files["onnx"].sha256}]
    assert files["golden.npz"] == [{"alg": "SHA-256", "content": bundle.manifest.golden.sha256}]


def test_the_root_is_leukoscope_and_depends_on_all_of_it(bill: dict[str, Any]) -> None:
    root = bill["metadata"]["component"]
    assert (root["name"], root["version"]) == ("leukoscope", __version__)
    [depends] = [one["dependsOn"] for one in bill["dependencies"] if one["ref"] == root["bom-ref"]]
    assert sorted(depends) == sorted(one["bom-ref"] for one in bill["components"])


def test_licences_are_those_that_packages_declare_and_none_is_made_up(bill: dict[str, Any]) -> None:
    [expression] = licences("pytest")
    assert str(getattr(expression, "id", None) or getattr(expression, "value", "")) == "MIT"
    assert licences("no-such-package") == []
    known = [one for one in bill["components"] if one.get("licenses")]
    assert len(known) >= 0.9 * len(bill["components"])


def test_the_same_content_has_the_same_number_and_another_lock_another(bill: dict[str, Any]) -> None:
    other = bill_of_materials(LOCKS / "server" / "x86_64-python3.11.txt")
    assert bill_of_materials(LOCK).serial_number.urn == bill["serialNumber"]
    assert other.serial_number.urn != bill["serialNumber"]


def test_an_altered_bundle_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "segmenter"
    folder.mkdir()
    for file in (ROOT / "models" / "segmenter").iterdir():
        if file.is_file():
            (folder / file.name).write_bytes(file.read_bytes())
    network = folder / "network.int8.onnx"
    network.write_bytes(network.read_bytes() + b"x")
    with pytest.raises(BundleError, match="not the file its manifest names"):
        bundle_component(Bundle.read(folder))
