"""Writes what an installation is made of as CycloneDX: the packages of a lock and the bundles of networks, with hashes.

    tools/sbom                                                     each lock of systemd/locks, into out/sbom
    tools/sbom systemd/locks/device/aarch64-python3.11.txt         one

Licences of packages are those that the same packages in .venv declare: most locked ones are installed there, in this
version or one nearby. What is not installed there has none in the bill.
"""

import uuid
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import Annotated

import typer
from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, Property, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License, LicenseAcknowledgement
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from leukoscope import __version__
from leukoscope.errors import LeukoscopeError
from leukoscope.inference.bundle import Bundle

CHECKOUT = Path(__file__).resolve().parents[1]
LOCKS = CHECKOUT / "systemd" / "locks"
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "leukoscope.bill-of-materials")
LICENCES = LicenseFactory()


class BillError(LeukoscopeError):
    """A bill that does not hold what CycloneDX asks for."""


def main(
    locks: Annotated[list[Path] | None, typer.Argument(help="Which locks; all by default.")] = None,
    to: Annotated[Path, typer.Option(help="The folder of the bills.")] = CHECKOUT / "out" / "sbom",
) -> None:
    """Write a bill for each lock."""
    to.mkdir(parents=True, exist_ok=True)
    for lock in locks or sorted(LOCKS.glob("*/*.txt")):
        file = to / f"leukoscope-{__version__}-{lock.parent.name}-{lock.stem}.cdx.json"
        bill = bill_of_materials(lock)
        file.write_text(as_json(bill), "utf-8")
        unknown = sorted(one.name for one in bill.components if not one.licenses)
        print(f"{file}: {len(bill.components)} components, licence unknown of {', '.join(unknown) or 'none'}")


def bill_of_materials(lock: Path) -> Bom:
    """What an installation from this lock holds, leukoscope itself as its root.

    Args:
        lock: a file of `systemd/locks`.
    """
    manifests = sorted(CHECKOUT.glob("models/*/manifest.toml"))
    components = [*packages(lock), *(bundle_component(Bundle.read(file.parent)) for file in manifests)]
    root = Component(
        type=ComponentType.APPLICATION,
        name="leukoscope",
        bom_ref=f"leukoscope=={__version__}",
        version=__version__,
        licenses=[LICENCES.make_from_string("Apache-2.0")],
    )
    bill = Bom(components=components)
    bill.metadata.component = root
    bill.register_dependency(root, components)
    # The same content has the same number.
    bill.serial_number = uuid.uuid5(NAMESPACE, lock.read_text("ascii") + "".join(map(_text, manifests)))
    return bill


def packages(lock: Path) -> Iterator[Component]:
    """The packages of a lock; the hashes are those of every file that may be installed as one."""
    for entry in lock.read_text("ascii").replace("\\\n", "").splitlines():
        pinned, *options = entry.split()
        name, _, version = pinned.partition("==")
        where = PackageURL("pypi", None, name, version)
        hashes = [option.removeprefix("--hash=sha256:") for option in options if option.startswith("--hash=sha256:")]
        yield Component(
            name=name,
            version=version,
            bom_ref=pinned,
            purl=where,
            licenses=licences(name),
            external_references=[
                ExternalReference(
                    type=ExternalReferenceType.DISTRIBUTION,
                    url=XsUri(where.to_string()),
                    hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one) for one in hashes],
                )
            ],
        )


def bundle_component(bundle: Bundle) -> Component:
    """A bundle with its files; its properties are the digests that reports name its networks by."""
    manifest = bundle.manifest
    paths = [bundle.network_path(engine) for engine in manifest.files] + bundle.stored_paths()
    named = {file.path: file.sha256 for file in manifest.files.values()}
    stored = (manifest.golden, manifest.head, manifest.known, manifest.validation)
    named |= {file.path: file.sha256 for file in stored if file is not None}
    return Component(
        type=ComponentType.MACHINE_LEARNING_MODEL,
        name=f"leukoscope-{manifest.name}",
        bom_ref=f"leukoscope-{manifest.name}=={manifest.version}",
        version=manifest.version,
        licenses=[LICENCES.make_from_string(manifest.licence)],
        properties=[
            Property(name=f"leukoscope:provenance:sha256:{engine}", value=bundle.digest(engine))
            for engine in manifest.files
        ],
        components=[
            Component(
                type=ComponentType.FILE,
                name=path.name,
                bom_ref=f"leukoscope-{manifest.name}=={manifest.version}/{path.name}",
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=named[path.name])],
            )
            for path in paths
        ],
    )


def licences(package: str) -> list[License]:
    """What an installed package declares: an SPDX expression, else what its classifiers name; none if not installed."""
    try:
        declared = metadata(package)
    except PackageNotFoundError:
        return []

    def stated(field: str) -> list[str]:
        return declared.get_all(field) or []

    names = [line.rpartition(" :: ")[2] for line in stated("Classifier") if line.startswith("License :: ")]
    # Some packages put the whole text of their licence into the field.
    short = [text for text in stated("License") if text and len(text) < 60 and "\n" not in text]
    for text in (*stated("License-Expression"), *short, " and ".join(names)):
        if text:
            return [LICENCES.make_from_string(text, license_acknowledgement=LicenseAcknowledgement.DECLARED)]
    return []


def as_json(bill: Bom) -> str:
    """The bill as JSON, version 1.6 of CycloneDX.

    Raises:
        BillError: it does not keep the schema.
    """
    text = JsonV1Dot6(bill).output_as_string(indent=2)
    if (flaw := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)) is not None:
        raise BillError(f"the bill is no CycloneDX 1.6: {flaw}", "see whether a package or manifest says something new")
    return text


def _text(file: Path) -> str:
    return file.read_text("utf-8")


if __name__ == "__main__":
    typer.run(main)
