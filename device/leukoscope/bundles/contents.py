"""What an archive says of itself: which bundle, for which software, and the sha256 of every file. This is signed."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError

from leukoscope.bundles.archive import MANIFEST, refuse_bad_name
from leukoscope.errors import BundleError
from leukoscope.inference.bundle import Bundle, EngineName
from leukoscope.schema import FrozenModel, explain

_NAME = r"[a-z0-9][a-z0-9-]{0,62}"
BundleName = Annotated[str, Field(pattern=f"^{_NAME}$")]
Version = Annotated[str, Field(pattern=r"^\d{1,6}\.\d{1,6}\.\d{1,6}$")]


class PackedFile(FrozenModel):
    """One file of the bundle."""

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bytes: Annotated[int, Field(ge=0)]
    """Its size."""


class SoftwareRange(FrozenModel):
    """Versions of leukoscope the bundle works with."""

    at_least: Version
    below: Version | None = None
    """First version it does not work with; None where no such version is known."""


class Contents(FrozenModel):
    """`contents.json` of an archive."""

    schema_version: Literal[1] = 1
    name: BundleName
    kind: Literal["segmenter", "classifier"]
    version: Version
    software: SoftwareRange
    engines: Annotated[tuple[EngineName, ...], Field(min_length=1)]
    """For which it holds a network."""
    files: Mapping[str, PackedFile]

    @classmethod
    def parse(cls, content: bytes, origin: str) -> Self:
        """Read `contents.json`.

        Raises:
            BundleError: it is malformed or of another format version.
        """
        try:
            contents = cls.model_validate_json(content)
        except ValidationError as error:
            raise BundleError(
                f"{origin}: contents.json: {explain(error)}", "pack the bundle anew, or update leukoscope"
            ) from error
        for name in contents.files:
            refuse_bad_name(name, origin)
        return contents

    def refuse_other_files(self, files: Mapping[str, bytes], origin: str, todo: str = "copy the archive again") -> None:
        """Raise unless these are the files that were packed; `todo` is what to do otherwise.

        Raises:
            BundleError: one is missing, altered or not named.
        """
        if unknown := sorted(set(files) ^ set(self.files)):
            where = "holds" if unknown[0] in files else "lacks"
            raise BundleError(f"{origin} {where} {unknown[0]!r} against its contents.json", todo)
        if MANIFEST not in files:
            raise BundleError(f"{origin} holds no {MANIFEST}", "pack it with tools/pack_bundle.py")
        for name, content in files.items():
            if hashlib.sha256(content).hexdigest() != self.files[name].sha256 or len(content) != self.files[name].bytes:
                raise BundleError(f"{origin}: {name} is not the file that was packed", todo)

    def refuse_other_software(self, running: str, origin: str) -> None:
        """Raise unless this version of leukoscope is one the bundle works with.

        Raises:
            BundleError: it is too old or too new.
        """
        least, below = self.software.at_least, self.software.below
        here = version_key(running)
        if here < version_key(least) or (below is not None and here >= version_key(below)):
            wanted = f"{least} or later" + ("" if below is None else f" and below {below}")
            raise BundleError(
                f"{origin}: {self.name} {self.version} works with leukoscope {wanted}, this is {running}",
                "update leukoscope, or install another version of the bundle",
            )

    def refuse_other_bundle(self, bundle: Bundle, origin: str) -> None:
        """Raise unless the bundle's manifest says the same as the signed contents.

        Raises:
            BundleError: it differs.
        """
        manifest = bundle.manifest
        stated = (manifest.name, manifest.kind, manifest.version, sorted(manifest.files))
        signed = (self.name, self.kind, self.version, sorted(self.engines))
        if stated != signed:
            raise BundleError(f"{origin}: its manifest says {stated}, its contents.json {signed}", "pack it anew")
        stored = (manifest.golden, manifest.head, manifest.known, manifest.validation, *manifest.files.values())
        named = {file.path for file in stored if file is not None}
        if missing := sorted(named - set(self.files)):
            raise BundleError(f"{origin} lacks {missing[0]!r}, which its manifest names", "pack it anew")


def is_bundle_name(name: str) -> bool:
    """Whether a bundle can be called so; a path cannot."""
    return re.fullmatch(_NAME, name) is not None


def version_key(version: str) -> tuple[int, ...]:
    """Orders versions as people do: 2.10.0 after 2.9.0."""
    return tuple(int(part) for part in version.split("."))


def contents_of(bundle: Bundle, files: Mapping[str, bytes], software: SoftwareRange) -> Contents:
    """What an archive with these files of a bundle says of itself."""
    manifest = bundle.manifest
    return Contents(
        name=manifest.name,
        kind=manifest.kind,
        version=manifest.version,
        software=software,
        engines=tuple(sorted(manifest.files)),
        files={
            name: PackedFile(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
            for name, content in sorted(files.items())
        },
    )


def files_to_pack(bundle: Bundle) -> dict[str, bytes]:
    """What a device needs of a bundle, and its card.

    Raises:
        BundleError: a file is missing or not the one the manifest names.
    """
    manifest = bundle.manifest
    paths: list[Path] = [bundle.folder / MANIFEST, *bundle.stored_paths()]
    paths += [bundle.network_path(engine) for engine in manifest.files]
    paths += [card for card in [bundle.folder / "CARD.md"] if card.exists()]
    return {path.name: path.read_bytes() for path in paths}
