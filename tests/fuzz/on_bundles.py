"""What a workshop makes: bundles, their archives, and what the device notes about them."""

import functools
import hashlib
import json
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from random import Random

from leukoscope.analysis.golden import replay
from leukoscope.bundles.archive import Archive, read_archive, write_archive
from leukoscope.bundles.bundle_store import BundleStore
from leukoscope.bundles.installing import install
from leukoscope.bundles.signing import sign
from leukoscope.bundles.startup import find_bundle
from leukoscope.errors import BundleError
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.validation import Validation
from leukoscope.service.models import naming_of
from leukoscope.statistics.laboratories import NamingRecord
from leukoscope.statistics.misclassification import Correction
from leukoscope.system.assets import find_asset
from tests.bundles_installed import workshop
from tests.fuzz.mutations import as_json, as_toml, spoil_tree
from tests.fuzz.target import Target, of_bytes, of_json, of_toml, repacked
from tests.messages.examples import NOW


@functools.cache
def _manifests() -> Sequence[bytes]:
    return [(find_asset("models", name) / "manifest.toml").read_bytes() for name in ("segmenter", "classifier")]


def _read_manifest(content: bytes, folder: Path) -> None:
    (folder / "manifest.toml").write_bytes(content)
    bundle = Bundle.read(folder)
    for ask in (bundle.golden_path, bundle.validation_path, lambda: bundle.network_path("onnx")):
        # The other files are not there; a manifest alone must never lead to anything else.
        try:
            ask()
        except BundleError:
            continue
    if bundle.manifest.classifier is not None and bundle.manifest.validation is None:
        naming_of(bundle)


@functools.cache
def _validations() -> Sequence[bytes]:
    return [(find_asset("models", "classifier") / "validation.json").read_bytes()]


def _read_validation(content: bytes, folder: Path) -> None:
    path = folder / "validation.json"
    path.write_bytes(content)
    facts = Bundle.read(find_asset("models", "classifier")).manifest.classifier
    assert facts is not None
    others = NamingRecord.read(Validation.read(path), facts)
    if hashlib.sha256(content).digest()[0] < 20:
        # It takes a while, so only some of them.
        Correction(others, NamingRecord.of((), facts)).correct({facts.classes[0].key: 3, facts.classes[1].key: 1})


@functools.cache
def _archives() -> Sequence[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        return [workshop.archive(Path(folder), version) for version in ("9.0.0", "9.1.0")]


def _spoilt_archive(rng: Random) -> bytes:
    """Half of the cases are spoilt inside, packed and signed with a trusted key."""
    if rng.random() < 0.5:
        return of_bytes(_archives)(rng)
    archive = read_archive(rng.choice(_archives()), "seed")
    files = dict(archive.files)
    if rng.random() < 0.5:
        files["manifest.toml"] = as_toml(spoil_tree(tomllib.loads(files["manifest.toml"].decode()), rng))
    else:
        files["golden.npz"] = repacked(files["golden.npz"], rng)
        manifest = tomllib.loads(files["manifest.toml"].decode())
        manifest["golden"]["sha256"] = hashlib.sha256(files["golden.npz"]).hexdigest()
        files["manifest.toml"] = as_toml(manifest)
    contents = json.loads(archive.contents)
    contents["files"] = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)} for name, content in files.items()
    }
    if rng.random() < 0.3:
        contents = spoil_tree(contents, rng)
    text = as_json(contents)
    return write_archive(Archive(text, sign(workshop.KEY, text)[0], files))


def _read_archive(content: bytes, folder: Path) -> None:
    store = BundleStore(folder / "bundles")
    name = install(content, "archive", store, workshop.RULES, NOW).name
    bundle = Bundle.read(find_bundle(name, None, store, workshop.RULES.software).folder)
    assert replay(bundle, workshop.RULES.engine.open(bundle)).passed


@functools.cache
def _states() -> Sequence[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        store = BundleStore(Path(folder))
        for archive in _archives():
            install(archive, "archive", store, workshop.RULES, NOW)
        return [(Path(folder) / "classifier" / "state.json").read_bytes()]


def _read_state(content: bytes, folder: Path) -> None:
    store = BundleStore(folder)
    (folder / "classifier").mkdir()
    (folder / "classifier" / "state.json").write_bytes(content)
    state = store.state("classifier")
    assert state.history == () or state.in_force is not None
    state.pruned()


BUNDLE_TARGETS = (
    Target("bundle manifests", of_toml(_manifests), _read_manifest, _manifests),
    Target("bundle archives", _spoilt_archive, _read_archive, _archives, 0.5),
    Target("bundle states", of_json(_states), _read_state, _states),
    Target("validations", of_json(_validations), _read_validation, _validations, 0.5),
)
