"""A row that can be measured."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from methods.amounts import Amounts
from methods.bench import Bench
from methods.device import digests
from methods.results import Figure, key_of

Figures = Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class Job:
    """One row of the table, before it is measured."""

    kind: str
    name: str
    files: Sequence[Path]
    """The code that the figures depend on."""
    measure: Callable[[Bench], Figures]
    amounts: Sequence[str]
    """The fields of Amounts that the figures depend on."""
    networks: bool = False
    """Whether it uses the shipped networks."""

    def key(self, amounts: Amounts) -> str:
        """Changes when the row has to be measured anew."""
        used = [f"{name}={getattr(amounts, name)}" for name in self.amounts]
        return key_of([self.kind, self.name, *used, *(digests() if self.networks else ())], self.files)
