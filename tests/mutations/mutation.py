"""A change of one line that must turn a test red."""

import tomllib
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from leukoscope.schema import FrozenModel

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).with_name("mutations.toml")


class Mutation(FrozenModel):
    """Either `old` becomes `new`, or the two texts of `swap` change places."""

    name: str
    """What the altered program does wrong."""
    file: str
    """Path in the repository."""
    old: str | None = None
    """Stands exactly once in the file."""
    new: str | None = None
    swap: tuple[str, str] | None = None
    """Each stands exactly once in the file."""
    tests: tuple[str, ...] = Field(min_length=1)
    """What pytest runs, and at least one of it must fail."""

    @model_validator(mode="after")
    def _one_change(self) -> Self:
        if (self.swap is None) == (self.old is None or self.new is None):
            raise ValueError("expected either old and new, or swap")
        return self

    def applied(self, text: str) -> str:
        """The altered file.

        Raises:
            ValueError: what is to be altered does not stand there exactly once.
        """
        for wanted in self.swap or (str(self.old),):
            if (found := text.count(wanted)) != 1:
                raise ValueError(f"{self.file} holds {wanted!r} {found} times: expected once; write the list anew")
        if self.swap is not None:
            one, other = self.swap
            return text.replace(one, "\0").replace(other, one).replace("\0", other)
        return text.replace(str(self.old), str(self.new))


class MutationList(FrozenModel):
    """The content of mutations.toml."""

    mutation: tuple[Mutation, ...]


def mutations() -> tuple[Mutation, ...]:
    """Every mutation of the list."""
    return MutationList.model_validate(tomllib.loads(LIST.read_text("utf-8"))).mutation
