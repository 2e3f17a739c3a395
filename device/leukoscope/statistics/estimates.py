"""What can be said about a share or a ratio of counted cells, with the best interval there is."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from leukoscope.specimen.sample import Basis
from leukoscope.statistics.intervals import clopper_pearson

if TYPE_CHECKING:
    from leukoscope.statistics.misclassification import Mix


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number and its 95 % interval."""

    value: float
    low: float
    high: float
    basis: Basis


class Estimator:
    """The named white cells of a sample, and shares of them: corrected where they can be, else as counted."""

    def __init__(
        self,
        named: Mapping[str, int],
        classes: Sequence[str],
        differential: Sequence[str],
        groups: Mapping[str, Sequence[str]],
        mix: Mix | None,
        *,
        names_known: bool = False,
    ) -> None:
        """Take the counts.

        Args:
            named: cells by answer, `unsure` included.
            classes: every class of the bundle.
            differential: those whose cells are white cells.
            groups: the bundle's groups and their classes.
            mix: what can stand behind the names; None where that is unknown. Shares of classes that it does not know
                stay as counted.
            names_known: a person has named or confirmed every cell.
        """
        self.named = named
        self._classes = classes
        self._differential = differential
        self._groups = groups
        self._mix = mix
        self._names_known = names_known

    def error_known(self, keys: Collection[str]) -> bool:
        """The error of naming these classes is in the intervals, or there is none."""
        return self._names_known or (self._mix is not None and self._mix.knows(keys))

    @property
    def differential(self) -> Sequence[str]:
        """The classes whose cells are white cells."""
        return self._differential

    @property
    def white_cells(self) -> int:
        """Named cells of the differential's classes."""
        return self.count(self._differential)

    def known(self, keys: Iterable[str]) -> tuple[str, ...]:
        """The classes that these class and group keys stand for, in the bundle's order; unknown keys are left out."""
        wanted = {member for key in keys for member in self._groups.get(key, (key,))}
        return tuple(key for key in self._classes if key in wanted)

    def count(self, keys: Iterable[str]) -> int:
        """Cells named as one of these classes."""
        return sum(self.named.get(key, 0) for key in keys)

    def rest(self, keys: Collection[str]) -> tuple[str, ...]:
        """The other classes of the differential."""
        return tuple(key for key in self._differential if key not in keys)

    def share(self, keys: Collection[str]) -> Estimate:
        """Share of these classes among the white cells."""
        return self.part(keys, self.rest(keys))

    def counted_share(self, keys: Collection[str]) -> Estimate:
        """The same from the counts alone, though it could be corrected."""
        return counted_share(self.count(keys), self.count(keys) + self.count(self.rest(keys)))

    def per_white_cell(self, keys: Collection[str]) -> Estimate:
        """Cells of these classes, which are no white cells, per white cell."""
        return self.ratio(keys, self._differential)

    def ratio(self, over: Collection[str], under: Collection[str]) -> Estimate:
        """Cells of some classes per cell of others; both must have been seen."""
        return odds(self.part(over, under))

    def part(self, over: Collection[str], under: Collection[str]) -> Estimate:
        """Share of some classes among these and others."""
        if self._mix is None or not (self._mix.knows(over) and (not under or self._mix.knows(under))):
            return counted_share(self.count(over), self.count(over) + self.count(under))
        return Estimate(*self._mix.share(over, under), Basis.CORRECTED)


def counted_share(count: int, total: int) -> Estimate:
    """A share with its exact binomial interval; with `total` 0 nothing is known."""
    return Estimate(count / total if total else 0.0, *clopper_pearson(count, total), Basis.COUNTS)


def odds(share: Estimate) -> Estimate:
    """A share a / (a + b) as the ratio a / b, given up to a million.

    A binomial interval of the share is one of the ratio of two counts, both of which are by chance (Przyborowski &
    Wilenski, Biometrika 31, 1940).
    """
    value, low, high = (end / max(1 - end, 1e-6) for end in (share.value, share.low, share.high))
    return Estimate(value, low, high, share.basis)


def counted_ratio(over: int, under: int) -> Estimate:
    """Ratio of two counts with its interval; `under` is at least 1."""
    return odds(counted_share(over, over + under))


def variation(cv: float, cells: int) -> Estimate:
    """A coefficient of variation, with an interval for many cells of normally distributed size.

    Standard error cv sqrt(1 / (2 (n - 1)) + cv² / n): Johnson & Welch, Biometrika 31, 1940.
    """
    error = 1.96 * cv * (1 / (2 * (cells - 1)) + cv**2 / cells) ** 0.5
    return Estimate(cv, max(0.0, cv - error), cv + error, Basis.COUNTS)
