"""How far the checked cells of a bench verify it, and what they say of its classifier's mistakes."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from leukoscope.inference.bundle import Bundle, ClassifierFacts
from leukoscope.inference.validation import ConfusionMatrix, Validation
from leukoscope.reviewing.checked_cells import CheckedCell, CheckedReport
from leukoscope.specimen.cell import UNSURE
from leukoscope.specimen.sample import Verification
from leukoscope.statistics.false_alarms import FalseShare
from leukoscope.statistics.laboratories import NamingRecord
from leukoscope.statistics.misclassification import Correction

ENOUGH_CELLS, ENOUGH_SPECIMENS = 100, 3
"""Checked cells, and specimens they are of, from which on a bench is verified (CLSI EP12, H20)."""
PRIOR_CELLS = 10.0
"""What the classifier's own share of mistakes is worth beside the bench's checked cells: little, for laboratories
differ. Of normal cells of two that a network had not seen .06 to .20 were suspect, of those it had learnt from .003 to
.045 (`tools/alarm_budget.py --left-out`)."""


@dataclass(frozen=True, slots=True)
class VerificationProgress:
    """How far a bench's verification has come."""

    counted: tuple[CheckedReport, ...]
    chosen: int
    """Cells left out: people chose to check them, and they stand for no others."""
    expired: tuple[CheckedReport, ...]
    """Made with another classifier, calibration or camera."""
    not_live: tuple[CheckedReport, ...]
    """Of simulated or stored samples, which never verify a bench."""

    @property
    def cells(self) -> tuple[CheckedCell, ...]:
        """Checked cells that count."""
        return tuple(cell for one in self.counted for cell in one.representative)

    @property
    def specimens(self) -> int:
        """Specimens they are of; a specimen without a name is one per report."""
        return len({one.specimen or one.report for one in self.counted})

    @property
    def verified(self) -> bool:
        """Enough of both."""
        return len(self.cells) >= ENOUGH_CELLS and self.specimens >= ENOUGH_SPECIMENS

    @property
    def missing(self) -> str:
        """What is still needed, in words; empty when verified."""
        parts = []
        if len(self.cells) < ENOUGH_CELLS:
            parts.append(f"{ENOUGH_CELLS - len(self.cells)} more checked cells")
        if self.specimens < ENOUGH_SPECIMENS:
            parts.append(f"cells of {ENOUGH_SPECIMENS - self.specimens} more specimens")
        return " and ".join(parts)

    @property
    def verification(self) -> Verification | None:
        """As reports say it; None where the bench is not verified."""
        if not self.verified:
            return None
        by = tuple(sorted({name for one in self.counted for name in one.by}))
        return Verification(len(self.cells), self.specimens, max(one.at for one in self.counted), by)

    def matrices(self, classes: Sequence[str]) -> tuple[ConfusionMatrix, ...]:
        """Checked cells by truth and answer, one matrix per specimen."""
        of_specimen: dict[str, Counter[tuple[str, str]]] = {}
        for one in self.counted:
            counts = of_specimen.setdefault(one.specimen or one.report, Counter())
            counts.update((cell.truth, cell.answer) for cell in one.representative)
        return tuple(_matrix(counts, classes) for counts in of_specimen.values())

    def correction(self, bundle: Bundle, facts: ClassifierFacts) -> Correction | None:
        """How the classifier mistakes its classes on this bench; None where it is not verified."""
        if not self.verified:
            return None
        path = bundle.validation_path()
        others = NamingRecord.of((), facts) if path is None else NamingRecord.read(Validation.read(path), facts)
        return Correction(others, NamingRecord.of(self.matrices([one.key for one in facts.classes]), facts))

    def false_suspects(self, expected: Mapping[str, FalseShare]) -> dict[str, FalseShare]:
        """Share of cells that are named or suspected so by mistake, by class, with what this bench has seen."""
        return {
            key: self._seen(share, [key == cell.answer or key in cell.suspect for cell in self._others(key)])
            for key, share in expected.items()
        }

    def false_names(self, classes: Iterable[str], expected: FalseShare) -> dict[str, FalseShare]:
        """Share of cells that are named so by mistake, by class, with what this bench has seen."""
        return {key: self._seen(expected, [key == cell.answer for cell in self._others(key)]) for key in classes}

    def _others(self, key: str) -> list[CheckedCell]:
        return [cell for cell in self.cells if cell.truth != key]

    @staticmethod
    def _seen(expected: FalseShare, mistakes: Sequence[bool]) -> FalseShare:
        return expected.seen_again(sum(mistakes), len(mistakes), PRIOR_CELLS)


def _matrix(counts: Mapping[tuple[str, str], int], classes: Sequence[str]) -> ConfusionMatrix:
    answers = (*classes, UNSURE)
    truths = tuple(key for key in classes if any(truth == key for truth, _ in counts))
    rows = tuple(tuple(counts.get((truth, answer), 0) for answer in answers) for truth in truths)
    return ConfusionMatrix(collection="bench", held_out_by="slide", truth=truths, named=answers, counts=rows)
