"""A model bundle: networks, what they expect, what they name, and proof that nothing was altered."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from leukoscope.errors import BundleError, reason_of
from leukoscope.schema import FrozenModel, explain, table_of

EngineName = Literal["onnx", "litert"]
Share = Annotated[float, Field(ge=0.0, le=1.0)]


class NetworkFile(FrozenModel):
    """One network in one format."""

    path: str
    """File name inside the bundle."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """Hexadecimal digest of the file."""
    outputs: tuple[str, ...]
    """Names of the outputs, in the order in which the runtime returns them."""


class StoredFile(FrozenModel):
    """A file beside the networks."""

    path: str
    """File name inside the bundle."""
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class InputShape(FrozenModel):
    """What the network looks at."""

    rows: Annotated[int, Field(gt=0)]
    """Pixels."""
    cols: Annotated[int, Field(gt=0)]
    """Pixels."""
    um_per_px: Annotated[float, Field(gt=0)]
    """Pictures are resampled to this scale before the network sees them."""


class SegmenterFacts(FrozenModel):
    """What only a segmenter's manifest says."""

    stride: Annotated[int, Field(gt=0)]
    """Input pixels per output pixel."""
    thresholds: Mapping[Literal["rbc", "wbc", "platelet"], Share]
    """Score from which a centre counts as a cell, chosen on validation pictures."""
    edge_thresholds: Mapping[Literal["rbc", "wbc", "platelet"], Share] = {}
    """The same for a cell cut by the picture's edge; a kind that is not named has no other threshold there."""
    margin_um: Annotated[float, Field(ge=0)]
    """How far from a tile's edge the answer is not to be trusted."""
    side_multiple_px: Annotated[int, Field(gt=0)] | None = None
    """The networks take any picture whose sides are multiples of this; without it, the input's size alone."""


class CellClass(FrozenModel):
    """One class the classifier can name."""

    key: Annotated[str, Field(pattern=r"^[a-z_]+$")]
    """The word used in JSON and on the wire."""
    short: Annotated[str, Field(min_length=1, max_length=5)]
    """What fits on a small display."""
    in_differential: bool
    """White cells are; erythroblasts, platelets, smudges and artefacts are counted beside it."""


class MistakeCost(FrozenModel):
    """What it costs to give cells of one class certain other names; any other mistake costs 1."""

    truth: str
    """The class of the cell."""
    named: tuple[str, ...]
    """The names that this price holds for."""
    cost: Annotated[float, Field(gt=0)]
    """In ordinary mistakes; below 1 where it does little harm."""


class SuspectLimit(FrozenModel):
    """From which probability on a cell is suspected to be of a class that it was not named."""

    above: Share
    """The least probability of the class, with those of `beside`."""
    beside: tuple[str, ...] = ()
    """Classes that cells of this class are taken for in laboratories not seen: see `Classifier.suspicion`."""
    false_share: Share
    """The share of normal donors' white cells, in laboratories not seen, that pass the limit all the same."""


class ClassifierFacts(FrozenModel):
    """What only a classifier's manifest says."""

    classes: Annotated[tuple[CellClass, ...], Field(min_length=2)]
    """In the order of the network's outputs."""
    temperature: Annotated[float, Field(gt=0)]
    """Logits are divided by it, so that probabilities mean what they say (Guo et al. 2017)."""
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """The share of every label that training gave to all classes alike (Szegedy et al. 2016). A network that has learnt
    its labels so well that nothing is left to learn says that much less than it knows: the device takes it back."""
    unsure_below: Share
    """A cell whose most probable group has less than this is reported as unsure."""
    costs: tuple[MistakeCost, ...] = ()
    """Mistakes that are worse than others."""
    suspect: Mapping[str, SuspectLimit] = {}
    """Classes that are pointed out even where they are not the likeliest."""
    left_out: Mapping[str, Share] = {}
    """Share of white cells named right in each laboratory by networks that had not seen it: what to expect of a bench
    that the laboratory has not verified."""
    groups: Mapping[str, tuple[str, ...]] = {}
    """Coarser names over classes that shade into each other, such as neutrophil = segmented + band."""

    @model_validator(mode="after")
    def _groups_name_known_classes(self) -> Self:
        known = {one.key for one in self.classes}
        if len(known) != len(self.classes):
            raise ValueError("a class key appears twice")
        for group, members in self.groups.items():
            if unknown := set(members) - known:
                raise ValueError(f"group {group!r} names unknown classes {sorted(unknown)}")
        group_of = {key: group for group, members in self.groups.items() for key in members}
        for cost in self.costs:
            if unknown := {cost.truth, *cost.named} - known:
                raise ValueError(f"a cost names unknown classes {sorted(unknown)}")
            if group_of.get(cost.truth, cost.truth) in {group_of.get(one, one) for one in cost.named}:
                raise ValueError(f"a cost names {cost.truth!r} and a class of its own group")
        for key, limit in self.suspect.items():
            if unknown := {key, *limit.beside} - known:
                raise ValueError(f"suspect {key!r} names unknown classes {sorted(unknown)}")
        return self


class ExpectedSpeed(FrozenModel):
    """How long a run takes on a board, as measured there."""

    board: Annotated[str, Field(min_length=4)]
    """What the board calls itself (`leukoscope doctor` tells), or how that begins: "Raspberry Pi 5"."""
    engine: EngineName
    threads: Annotated[int, Field(ge=1, le=64)]
    ms_per_run: Annotated[float, Field(gt=0)]
    """Milliseconds, as `leukoscope doctor` finds them on the idle board."""


class Manifest(FrozenModel):
    """`manifest.toml` of a bundle."""

    schema_version: Literal[1]
    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    kind: Literal["segmenter", "classifier"]
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    licence: str
    input: InputShape
    files: Mapping[EngineName, NetworkFile]
    golden: StoredFile
    """An input and the decisions every engine on every board must reach."""
    head: StoredFile | None = None
    """A classifier's last layer, where its networks give features; read by `read_head`."""
    known: StoredFile | None = None
    """What the head is given on cells that the network learnt from: what fitting it to others must not unlearn."""
    validation: StoredFile | None = None
    """How a classifier named cells that it had not learnt from; read by `Validation`."""
    expected: tuple[ExpectedSpeed, ...] = ()
    """Speeds to compare with; boards without a measurement are not in it."""
    segmenter: SegmenterFacts | None = None
    classifier: ClassifierFacts | None = None

    @model_validator(mode="after")
    def _facts_match_kind(self) -> Self:
        facts = {"segmenter": self.segmenter, "classifier": self.classifier}
        if [name for name, value in facts.items() if value is not None] != [self.kind]:
            raise ValueError(f"a {self.kind} bundle needs exactly the table [{self.kind}]")
        if self.head is not None and self.classifier is None:
            raise ValueError("only a classifier has a head")
        return self


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle on disk whose manifest has been read."""

    folder: Path
    manifest: Manifest

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read a bundle's manifest.

        Raises:
            BundleError: the folder or its manifest is missing, malformed or unknown to this version.
        """
        path = folder / "manifest.toml"
        try:
            manifest = Manifest.model_validate(table_of(path.read_bytes()))
        except FileNotFoundError:
            raise BundleError(
                f"no model bundle at {folder}: expected a manifest.toml there", "check [models] in the settings"
            ) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            raise BundleError(f"{path} cannot be read ({reason_of(error)})", "install the bundle again") from error
        except ValidationError as error:
            raise BundleError(f"{path}: {explain(error)}", "install the bundle again") from error
        return cls(folder, manifest)

    def network_path(self, engine: EngineName) -> Path:
        """The network's file for an engine, after its sha256 has been checked.

        Raises:
            BundleError: there is none for this engine, or the file is not the one the manifest names.
        """
        file = self.manifest.files.get(engine)
        if file is None:
            held = ", ".join(sorted(self.manifest.files)) or "nothing"
            raise BundleError(
                f"bundle {self.manifest.name} holds no network for engine {engine!r} (it holds {held})",
                "choose another engine in the settings",
            )
        return self._verified(file.path, file.sha256)

    def golden_path(self) -> Path:
        """The golden pair's file, after its sha256 has been checked.

        Raises:
            BundleError: the file is missing or altered.
        """
        return self._verified(self.manifest.golden.path, self.manifest.golden.sha256)

    def validation_path(self) -> Path | None:
        """The file of validated decisions, after its sha256 has been checked; None where the bundle has none.

        Raises:
            BundleError: the file is missing or altered.
        """
        return self._stored(self.manifest.validation)

    def head_path(self) -> Path | None:
        """The file of the last layer, after its sha256 has been checked; None where the network names by itself.

        Raises:
            BundleError: the file is missing or altered.
        """
        return self._stored(self.manifest.head)

    def known_path(self) -> Path | None:
        """The file of what is not to be unlearnt, after its sha256 has been checked; None where the bundle has none.

        Raises:
            BundleError: the file is missing or altered.
        """
        return self._stored(self.manifest.known)

    def stored_paths(self) -> list[Path]:
        """Every file beside the networks that the manifest names, after their sha256 have been checked.

        Raises:
            BundleError: one is missing or altered.
        """
        found = (self.golden_path(), self.head_path(), self.known_path(), self.validation_path())
        return [path for path in found if path is not None]

    def digest(self, engine: EngineName) -> str:
        """What a report names the network by: the sha256 of its file; with a head, the sha256 of both digests."""
        network, head = self.manifest.files[engine].sha256, self.manifest.head
        return network if head is None else hashlib.sha256(f"{network}{head.sha256}".encode()).hexdigest()

    def _stored(self, file: StoredFile | None) -> Path | None:
        return None if file is None else self._verified(file.path, file.sha256)

    def _verified(self, name: str, sha256: str) -> Path:
        path = self.folder / name
        if path.parent != self.folder:
            raise BundleError(
                f"bundle {self.manifest.name} names {name!r}, a file outside its own folder", "install the bundle again"
            )
        try:
            found = hashlib.sha256(path.read_bytes()).hexdigest()
        except (OSError, ValueError) as error:
            raise BundleError(f"{path} cannot be read ({reason_of(error)})", "install the bundle again") from error
        if found != sha256:
            raise BundleError(
                f"{path} is not the file its manifest names: expected sha256 {sha256[:12]}…, found {found[:12]}…",
                "install the bundle again",
            )
        return path
