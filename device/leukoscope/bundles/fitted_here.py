"""A classifier that was fitted on this device, as an archive that can be installed under the name the settings use."""

from pathlib import Path

import tomli_w

from leukoscope.bundles.archive import MANIFEST, Archive, write_archive
from leukoscope.bundles.bundle_store import BundleStore
from leukoscope.bundles.contents import SoftwareRange, contents_of, files_to_pack
from leukoscope.errors import BundleError
from leukoscope.inference.bundle import Bundle
from leukoscope.schema import table_of

FITTED_FROM = 100_000
"""Patch numbers above it are of bundles fitted on a device: 2.7.100001 is the first that was fitted from 2.7.x."""


def fitted_archive(folder: Path, name: str, store: BundleStore, software: str, near: Path) -> bytes:
    """An unsigned archive of a bundle that `leukoscope adapt` wrote, with a version number of its own.

    Args:
        folder: the bundle.
        name: what the settings call the classifier.
        store: where others are installed.
        software: the version of leukoscope that runs; the archive works with it and later ones.
        near: the folder of the settings file.

    Raises:
        BundleError: it is no classifier's bundle, or a bundle beside the settings file comes first.
    """
    if not (folder / MANIFEST).exists():
        raise BundleError(
            f"{folder} holds no bundle: expected a {MANIFEST} there",
            "give an archive, or the folder that `leukoscope adapt` wrote",
        )
    bundle = Bundle.read(folder)
    if (near / name).exists():
        raise BundleError(
            f"{near / name} lies beside the settings and comes before every bundle that is installed",
            "move it away, or name another classifier under [models]",
        )
    if bundle.manifest.classifier is None:
        raise BundleError(f"{folder} is no classifier", "give the folder that `leukoscope adapt` wrote")
    major, minor, _ = bundle.manifest.version.split(".")
    taken = [one.version.split(".") for one in store.state(name).installed]
    patches = [int(patch) for *line, patch in taken if line == [major, minor]]
    version = f"{major}.{minor}.{max([FITTED_FROM, *patches]) + 1}"
    files = files_to_pack(bundle)
    manifest = table_of(files[MANIFEST]) | {"name": name, "version": version}
    files[MANIFEST] = tomli_w.dumps(manifest).encode()
    contents = contents_of(bundle, files, SoftwareRange(at_least=software))
    named = contents.model_copy(update={"name": name, "version": version})
    return write_archive(Archive(named.model_dump_json(indent=1).encode(), None, files))
