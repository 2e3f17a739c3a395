"""What a site wants pointed out in the counts: a rules file, read and checked."""

import hashlib
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from leukoscope.errors import SettingsError
from leukoscope.schema import FrozenModel, explain, table_of
from leukoscope.specimen.sample import Mode, RulesIdentity
from leukoscope.statistics.rules.rule_tables import (
    RESERVED_CODES,
    CountLimits,
    ErythroblastRule,
    MaturationRule,
    MyeloidErythroidRule,
    PlateletRule,
    RedCellRule,
    RedCellSizeRule,
    ShareRule,
)

SHIPPED = Path(__file__).parent
"""The folder of the rules that come with the software."""


class Rules(FrozenModel):
    """A rules file."""

    schema_version: Literal[1]
    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    """What the site calls these rules; stands in every report."""
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    """Counted up by the person who changes the file; stands in every report."""
    mode: Mode
    """What the smears are of."""
    counting: CountLimits
    share: tuple[ShareRule, ...] = ()
    """In the order in which the report states findings; those that ask for `seen` or `at_least` come first."""
    erythroblasts: ErythroblastRule | None = None
    red_cells: RedCellRule | None = None
    red_cell_size: RedCellSizeRule | None = None
    platelets: PlateletRule | None = None
    myeloid_erythroid: MyeloidErythroidRule | None = None
    maturation: tuple[MaturationRule, ...] = ()
    sha256: str = ""
    """Of the file, filled in when it is read."""

    @model_validator(mode="after")
    def _fits_the_mode(self) -> Self:
        if (self.mode == "marrow") != (self.myeloid_erythroid is not None):
            raise ValueError(
                "the ratio of myeloid to erythroid cells means something in marrow only: expected the table "
                f"[myeloid_erythroid] in mode marrow and nowhere else, found mode {self.mode}"
            )
        if self.maturation and self.mode != "marrow":
            raise ValueError("stages of maturation are judged in marrow only: leave [[maturation]] out in mode blood")
        codes = [rule.code for rule in self.share]
        if twice := sorted({code for code in codes if codes.count(code) > 1}):
            raise ValueError(f"expected a code of its own per finding, found {', '.join(twice)} twice")
        if taken := sorted(set(codes) & RESERVED_CODES):
            raise ValueError(f"the codes {', '.join(taken)} are taken by findings of the device: choose others")
        return self

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read and check a rules file.

        Raises:
            SettingsError: it is missing, is not TOML, or holds an unknown key or a wrong value.
        """
        try:
            content = path.read_bytes()
            table = table_of(content)
        except FileNotFoundError:
            raise SettingsError(f"no rules file at {path}", "check [rules] in the settings") from None
        except OSError as error:
            raise SettingsError(
                f"the rules file {path} cannot be read ({error.strerror})", "check [rules] in the settings"
            ) from error
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(
                f"{path} is not a readable TOML file: {error}", "correct the line, or take the file from its backup"
            ) from error
        try:
            return cls.model_validate({**table, "sha256": hashlib.sha256(content).hexdigest()})
        except ValidationError as error:
            raise SettingsError(f"{path}: {explain(error)}", "correct it in this file") from error

    @classmethod
    def shipped(cls, mode: Mode = "blood") -> Self:
        """The rules that come with the software."""
        return cls.read(SHIPPED / f"{mode}.toml")

    @property
    def identity(self) -> RulesIdentity:
        """What a report says about them."""
        return RulesIdentity(self.id, self.version, self.sha256, self.mode)

    def covered(self) -> Iterator[str]:
        """Every class and group that a rule of its own is about."""
        for rule in self.share:
            yield from rule.of
        if self.erythroblasts is not None:
            yield from self.erythroblasts.of
        for line in self.maturation:
            for stage in line.stages:
                yield from stage

    def asked_for(self) -> Iterator[str]:
        """Every class and group the rules count."""
        yield from self.covered()
        if self.platelets is not None:
            yield from self.platelets.clumps
        if self.myeloid_erythroid is not None:
            yield from self.myeloid_erythroid.myeloid
            yield from self.myeloid_erythroid.erythroid
