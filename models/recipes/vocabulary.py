"""What a classifier is to name, and what the labels of a collection mean in its words; read from its facts."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

ARTEFACT = "artefact"


@dataclass(frozen=True, slots=True)
class Suspected:
    """When a cell is pointed out as perhaps of a class that it was not named."""

    share: float
    """The share of the white cells of any of `normal_donors` that may be so."""
    elsewhere: float
    """The least share to be expected of normal cells in a laboratory not seen."""
    beside: tuple[str, ...]
    """Classes that cells of this class are taken for in laboratories not seen."""

    @classmethod
    def read(cls, said: Any) -> Self:
        """Of a facts file's table: `share`, and perhaps `elsewhere` and `beside`.

        Raises:
            ValueError: it is no such table.
        """
        if not isinstance(said, Mapping) or "share" not in said:
            raise ValueError(f"[training.suspected]: expected a table with `share` for each class, found {said!r}")
        return cls(said["share"], said.get("elsewhere", 0.0), tuple(said.get("beside", ())))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Classes in the order of the logits."""

    classes: tuple[str, ...]
    groups: Mapping[str, tuple[str, ...]]
    """Coarser names over several classes."""
    means: Mapping[str, tuple[str, ...]]
    """Labels that are not classes: which classes they may mean; none of them leaves the picture out."""
    emphasis: Mapping[str, float]
    """How much more often a collection, a label or a `collection/label` is drawn: what is rare or hard to name."""
    evened: tuple[str, ...]
    """Collections in which a few patients give most cells: these are drawn less often."""
    assumed_scale: Mapping[str, float]
    """Collections whose scale was not measured: how much larger their cells may be than it says."""
    suspected: Mapping[str, Suspected]
    """Classes to be pointed out even where another is likelier."""
    normal_donors: tuple[str, ...]
    """Collections of people without leukaemia."""
    not_judged: frozenset[str]
    """Labels that teach, but are neither what they teach nor anything else that is named, and collections whose
    pictures no camera gives: they judge nothing."""
    label_smoothing: float
    """The share of every label of one class that is given to all classes alike (Szegedy et al. 2016)."""

    @classmethod
    def read(cls, facts_file: Path) -> Self:
        """Of a facts file: its classes and groups, and what `[training]` says.

        Raises:
            ValueError: a label is said to mean a class that there is not.
        """
        facts = tomllib.loads(facts_file.read_text("utf-8"))
        described, training = facts["classifier"], facts.get("training", {})
        classes = tuple(one["key"] for one in described["classes"])
        groups = {name: tuple(members) for name, members in described.get("groups", {}).items()}
        means = {label: tuple(may) for label, may in training.get("means", {}).items()}
        for label, may in means.items():
            if unknown := set(may) - set(classes):
                raise ValueError(f"{facts_file}: {label!r} is said to mean {sorted(unknown)}, which are no classes")
        smoothing = described.get("label_smoothing", 0.0)
        return cls(
            classes,
            groups,
            means,
            dict(training.get("emphasis", {})),
            evened=tuple(training.get("evened", ())),
            assumed_scale=dict(training.get("assumed_scale", {})),
            suspected={key: Suspected.read(said) for key, said in training.get("suspected", {}).items()},
            normal_donors=tuple(training.get("normal_donors", ())),
            not_judged=frozenset(training.get("not_judged", ())),
            label_smoothing=smoothing,
        )

    def drawn(self, collection: str, label: str) -> float:
        """How much more often than others such a cell is drawn: all that is said of it, multiplied."""
        return math.prod(self.emphasis.get(name, 1.0) for name in (collection, label, f"{collection}/{label}"))

    def never_drawn(self, cells: Iterable[tuple[str, str]]) -> set[str]:
        """Names in `emphasis` that none of these cells, by collection and label, bears: a slip of the pen."""
        borne = {name for collection, label in cells for name in (collection, label, f"{collection}/{label}")}
        return set(self.emphasis) - borne

    def indices(self, label: str) -> tuple[int, ...]:
        """Of the classes a label may mean; empty if its pictures are left out.

        Raises:
            ValueError: the label is neither a class nor explained.
        """
        may = self.means.get(label, (label,))
        if unknown := set(may) - set(self.classes):
            raise ValueError(
                f"no class for label {sorted(unknown)}: name it among the classes, or say in [training.means] "
                "which classes it may mean ([] leaves its pictures out)"
            )
        return tuple(self.classes.index(name) for name in may)

    def truth_of(self, label: str) -> str:
        """The class or group a label stands for; the label itself where it stands for neither."""
        may = self.means.get(label, (label,))
        if len(may) == 1:
            return may[0]
        return next((group for group, members in self.groups.items() if set(members) == set(may)), label)

    def group_of(self, name: str) -> str:
        """The coarser name of a class, or the class itself."""
        return next((group for group, members in self.groups.items() if name in members), name)
