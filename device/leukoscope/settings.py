"""The whole bench on one page: what a settings file may say."""

import difflib
import functools
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, ValidationInfo, field_validator, model_validator

from leukoscope import __version__
from leukoscope.bundles.signing import PublicKey
from leukoscope.cameras import CameraSettings
from leukoscope.controls import ControlSettings
from leukoscope.counting.gallery import CellSettings
from leukoscope.counting.tally import CountingRules
from leukoscope.delivery import ReportingSettings
from leukoscope.displays import DisplaySettings
from leukoscope.displays.language import Language
from leukoscope.errors import OutboxError, SettingsError
from leukoscope.exporting.laboratory import LaboratorySettings
from leukoscope.indicators import SignalSettings
from leukoscope.inference.engines import EngineSettings
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.messages.command import CommandSettings
from leukoscope.messages.identity import Identity
from leukoscope.optics.calibration_settings import CalibrationSettings
from leukoscope.optics.quality import QualityLimits
from leukoscope.optics.tracking import NewFieldRule
from leukoscope.schema import FrozenModel, explain, table_of
from leukoscope.specimen.lifecycle import SigningRule
from leukoscope.specimen.sample import Mode
from leukoscope.statistics.rules.rules_settings import RulesSettings
from leukoscope.system.host import boot_id
from leukoscope.web_settings import WebSettings

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


class ModelSettings(FrozenModel):
    """Which networks run, and on what."""

    segmenter: str = "segmenter"
    """A bundle's folder, or its name under models/."""
    classifier: str = "classifier"
    """A bundle's folder, or its name under models/; "marrow" in mode marrow."""
    engine: EngineSettings = OnnxSettings()
    keys: tuple[PublicKey, ...] = ()
    """Public keys of those whose bundles are installed, as `tools/pack_bundle.py new-key` prints them."""
    cell_size: Literal["learnt", "as_measured"] = "learnt"
    """How large the classifier is shown cells: as the first specimens of this bench teach, so that their median has the
    size that it knows, or as they are."""
    allow_unsigned: bool = False
    """Also take bundles without a signature."""
    allow_downgrade: bool = False
    """Also take a bundle older than the one in force."""


class StorageSettings(FrozenModel):
    """Where results are kept."""

    folder: Path
    """Outbox and finished reports; on a device /var/lib/leukoscope."""
    annotated_fields: Annotated[int, Field(ge=0, le=1000)] = 0
    """Pictures of counted fields with outlines and names to keep per sample, and half as many refused ones."""
    outbox_max_mib: Annotated[int, Field(ge=1, le=100_000)] = 256
    """Mebibytes of the outbox; above it reports that were sent and signed go, the oldest first, and with none left no
    further sample begins."""
    keep_unsigned: bool = True
    """What was sent stays until it is signed, so that it can be reviewed; false where none is reviewed here."""

    @property
    def in_progress(self) -> Path:
        """The folder of the sample that is being counted."""
        return self.folder / "in-progress"

    @property
    def register(self) -> Path:
        """The file that knows every sample begun."""
        return self.folder / "samples.jsonl"

    @property
    def outbox(self) -> Path:
        """The outbox's file."""
        return self.folder / "outbox.sqlite"

    @property
    def bundles(self) -> Path:
        """The folder of bundles installed in the field."""
        return self.folder / "bundles"

    def make_folder(self) -> None:
        """Make the folder where it is missing.

        Raises:
            OutboxError: it cannot be made.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutboxError(
                f"results cannot be kept in {self.folder} ({error.strerror})", "check storage.folder and its owner"
            ) from error


class SampleSettings(FrozenModel):
    """What samples are called."""

    pattern: str = ".+"
    """Regular expression that a whole scanned or typed id must match, such as "[0-9]{8}-[A-Z]"."""
    confirm_s: Annotated[float, Field(ge=1, le=60)] = 8.0
    """Seconds in which a second scan of a used id, or a second discard, is a yes."""
    automatic: Literal["time", "number"] = "time"
    """What an unnamed sample is called: the time it was begun, or a number that counts up for ever."""

    @field_validator("pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        try:
            re.compile(pattern)
        except re.error as problem:
            raise ValueError(f"is no regular expression: {problem}") from problem
        return pattern


PICTURES_WITH_PAGE = 500
"""Pictures of cells per sample where [web] is in the settings and [cells] is not: 3 MB at most."""
FIELDS_WITH_PAGE = 60
"""Pictures of fields per sample likewise: some 6 MB, and 64 MiB of all samples."""


class SigningSettings(FrozenModel):
    """What has to be done before a report is signed; what a site lets pass stands in the report."""

    undecided_cells: Literal["refused", "stated"] = "refused"
    """While an unsure or suspect cell is neither named nor confirmed."""
    unopened_classes: Literal["refused", "stated"] = "refused"
    """While there is a class of which no cell was looked at."""
    second_person: bool = False
    """Another person has to sign than the one who reviewed last."""

    @property
    def rule(self) -> SigningRule:
        """As the reviewing takes it."""
        return SigningRule(self.undecided_cells == "refused", self.unopened_classes == "refused", self.second_person)


_OF_MODE: dict[Mode, dict[str, dict[str, object]]] = {
    "blood": {},
    "marrow": {
        "models": {"classifier": "marrow"},
        "rules": {"file": "marrow.toml"},
        "counting": {"white_cells": 500},
    },
}
"""What a mode means where the settings do not say otherwise; blood is what each table says by itself."""


class BenchSettings(FrozenModel):
    """One instrument: its parts and its rules."""

    site: Name
    """Where the device stands; part of every topic, so never a person's name."""
    device: Name
    """This device; unique at its site."""
    mode: Mode = "blood"
    """What the smears are of; chooses classifier, rules, how many cells are counted, and the words of the screens."""
    language: Language = "en"
    """Of the screens; reports and messages stay English."""
    camera: CameraSettings
    displays: Annotated[tuple[DisplaySettings, ...], Field(min_length=1)]
    controls: Annotated[tuple[ControlSettings, ...], Field(min_length=1)]
    calibration: CalibrationSettings
    storage: StorageSettings
    reporting: ReportingSettings
    models: ModelSettings = ModelSettings()
    quality: QualityLimits = QualityLimits()
    counting: CountingRules = CountingRules()
    rules: RulesSettings = RulesSettings()
    cells: CellSettings = CellSettings()
    commands: CommandSettings = CommandSettings()
    new_field: NewFieldRule = NewFieldRule()
    samples: SampleSettings = SampleSettings()
    signing: SigningSettings = SigningSettings()
    laboratory: LaboratorySettings = LaboratorySettings()
    web: WebSettings = WebSettings()
    signals: SignalSettings | None = None
    """Lamps and a buzzer; None for none."""

    @property
    def has_page(self) -> bool:
        """The settings speak of the page in the browser, be it in an empty [web]."""
        return "web" in self.model_fields_set

    @model_validator(mode="before")
    @classmethod
    def _as_the_mode_asks(cls, content: Any) -> Any:
        if not isinstance(content, dict) or content.get("mode") not in list(_OF_MODE):
            return content
        chosen = {
            name: {**table, **given}
            for name, table in _OF_MODE[content["mode"]].items()
            if isinstance(given := content.get(name, {}), dict)
        }
        return {**content, **chosen}

    @field_validator("commands")
    @classmethod
    def _can_be_heard(cls, commands: CommandSettings, others: ValidationInfo) -> CommandSettings:
        reporting = others.data.get("reporting")
        if commands.allow and reporting is not None and not reporting.takes_commands:
            raise ValueError("they come over MQTT and need reporting.driver mqtt")
        return commands

    @model_validator(mode="before")
    @classmethod
    def _pictures_where_the_page_runs(cls, content: Any) -> Any:
        """Who serves the review page wants to see cells: with [web] their pictures are kept unless [cells] says not."""
        if isinstance(content, dict) and "web" in content and "cells" not in content:
            return {**content, "cells": {"pictures": PICTURES_WITH_PAGE, "fields": FIELDS_WITH_PAGE}}
        return content

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read and check a settings file; relative paths in it are relative to the current folder.

        Raises:
            SettingsError: the file is missing, is not TOML, or holds an unknown key or a wrong value.
        """
        try:
            content = table_of(path.read_bytes())
        except FileNotFoundError:
            raise SettingsError(f"no settings file at {path}", "give one with --bench") from None
        except OSError as error:
            raise SettingsError(
                f"the settings file {path} cannot be read ({error.strerror})",
                "give a readable file with --bench",
            ) from error
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(
                f"{path} is not a readable TOML file: {error}", "correct the line, or take the file from its backup"
            ) from error
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            raise SettingsError(f"{path}: {explain(error)}{_did_you_mean(error)}", "correct it in this file") from error


def identity_of(settings: BenchSettings) -> Identity:
    """The names this bench publishes under."""
    return Identity(settings.site, settings.device, __version__, boot_id())


def _did_you_mean(error: ValidationError) -> str:
    """A suggestion for each unknown key that is close to a known one."""
    hints = []
    known = _all_keys()
    for fault in error.errors(include_url=False):
        if fault["type"] == "extra_forbidden":
            wrong = str(fault["loc"][-1])
            hints += [f"{wrong} → {near}" for near in difflib.get_close_matches(wrong, known, n=1)]
    return f" (did you mean {', '.join(hints)}?)" if hints else ""


@functools.cache
def _all_keys() -> list[str]:
    schema = BenchSettings.model_json_schema()
    keys = set(schema.get("properties", {}))
    for definition in schema.get("$defs", {}).values():
        keys |= set(definition.get("properties", {}))
    return sorted(keys)
