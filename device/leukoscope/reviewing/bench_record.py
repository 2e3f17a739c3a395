"""Which cells of a bench's own live reports people have checked: the record that verifies the bench, or does not."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, Field, ValidationError

from leukoscope.errors import ReviewError
from leukoscope.inference.bundle import Bundle, ClassifierFacts
from leukoscope.inference.validation import ConfusionMatrix, Validation
from leukoscope.schema import FrozenModel, explain
from leukoscope.specimen.cell import UNSURE
from leukoscope.specimen.sample import Provenance, SizeReference, Source, Verification
from leukoscope.statistics.false_alarms import FalseShare
from leukoscope.statistics.laboratories import NamingRecord
from leukoscope.statistics.misclassification import Correction
from leukoscope.system.durable_files import write_whole

ENOUGH_CELLS, ENOUGH_SPECIMENS = 100, 3
"""Checked cells, and specimens they are of, from which on a bench is verified (CLSI EP12, H20)."""
LEAST_DRAWN = 5
"""Cells before the first unchecked one from which on these are no accident."""
FILE = "verification.json"
"""In the bench's storage folder."""
PRIOR_CELLS = 10.0
"""What the classifier's own share of mistakes is worth beside the bench's checked cells: little, for laboratories differ.
Of normal cells of two that a network had not seen .06 to .20 were suspect, of those it had learnt from .003 to .045
(`tools/alarm_budget.py --left-out`)."""
Name = Annotated[str, Field(min_length=1, max_length=200)]


@dataclass(frozen=True, slots=True)
class BenchConditions:
    """What a verification holds for: another classifier, calibration or camera ends it."""

    classifier: str
    """The sha256 that reports name the classifier by."""
    calibration: str
    camera: str

    @classmethod
    def of(cls, provenance: Provenance) -> "BenchConditions":
        """Those of a report."""
        reference = provenance.size_reference
        calibration = calibration_with(provenance.calibration_id, reference)
        return cls(provenance.classifier.sha256, calibration, provenance.camera or "")


def calibration_with(calibration_id: str, reference: SizeReference | None) -> str:
    """A calibration and the size at which the classifier is shown cells, as one name."""
    return calibration_id if reference is None else f"{calibration_id}, cells as {reference.id}"


class CheckedCell(FrozenModel):
    """One cell that a person named or confirmed."""

    number: Annotated[int, Field(ge=1)]
    """Within its report."""
    answer: Name
    """Of the classifier."""
    truth: Name
    """Of the person."""
    suspect: tuple[Name, ...] = ()
    """Classes that the classifier suspected."""


class CheckedReport(FrozenModel):
    """The checked cells of one report."""

    report: Name
    version: Annotated[int, Field(ge=1)]
    specimen: Annotated[str, Field(max_length=200)]
    source: Source
    classifier: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    calibration: Name
    camera: Annotated[str, Field(max_length=200)]
    by: tuple[Name, ...]
    at: AwareDatetime
    """When the last of its cells was checked."""
    cells: tuple[CheckedCell, ...]
    drawn: tuple[int, ...] | None = None
    """Numbers of the cells that stand for all white cells of the report (`drawn_cells`); None in records of versions
    that did not say so."""
    blind: tuple[int, ...] = ()
    """Numbers of the cells that were named by people who had not seen the classifier's name."""

    @property
    def conditions(self) -> BenchConditions:
        """What it holds for."""
        return BenchConditions(self.classifier, self.calibration, self.camera)

    @property
    def representative(self) -> tuple[CheckedCell, ...]:
        """Checked cells that stand for all white cells of the report, whatever the classifier said of them."""
        return tuple(cell for cell in self.cells if cell.number in (self.drawn or ()))


def in_drawing_order(report: str, cells: Iterable[int]) -> list[int]:
    """Numbers of cells of a report as they are drawn: at random, and always in the same order."""
    return sorted(cells, key=lambda number: hashlib.sha256(f"{report} {number}".encode()).digest())


def drawn_cells(report: str, checked: Mapping[int, bool]) -> tuple[int, ...]:
    """Numbers of those checked cells of a report that stand for all of its cells.

    Who signs must decide every unsure and every suspect cell, and puts mistakes right. Such cells are checked because
    of the classifier's answer and alone say that it is always unsure (verification bias, Begg & Greenes 1983). So cells
    have a random order, and those stand that come before the first unchecked one: all where every cell was checked,
    those of a blind sheet, and next to none where only some were chosen.

    Args:
        report: its id.
        checked: whether a person has checked it, by the number of each white cell.
    """
    order = in_drawing_order(report, checked)
    first = next((at for at, number in enumerate(order) if not checked[number]), len(order))
    return tuple(order[:first]) if first == len(order) or first >= LEAST_DRAWN else ()


class BenchRecord(FrozenModel):
    """`verification.json` of a bench."""

    schema_version: Annotated[int, Field(ge=1, le=1)] = 1
    seal: str = ""
    """sha256 of the reports, so that a damaged file is found out."""
    reports: tuple[CheckedReport, ...] = ()

    @classmethod
    def read(cls, path: Path) -> "BenchRecord":
        """Read a record; an empty one where there is none yet.

        Raises:
            ReviewError: it is damaged; the file stays as it is.
        """
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return cls()
        except OSError as error:
            raise ReviewError(
                f"{path} cannot be read ({error.strerror}): the bench counts as not verified",
                "check the path and its owner; until then the bench counts as not verified",
            ) from error
        try:
            record = cls.model_validate_json(content)
        except ValidationError as error:
            raise ReviewError(
                f"{path} is damaged ({explain(error)}): the bench counts as not verified",
                "move the file away and run leukoscope verify to make it anew from the reports",
            ) from error
        if record.seal != _seal(record.reports):
            raise ReviewError(
                f"{path} was changed after it was written (its seal differs): the bench counts as not verified",
                "move the file away and run leukoscope verify to make it anew from the reports",
            )
        return record

    def write(self, path: Path) -> None:
        """Write it whole.

        Raises:
            ReviewError: the disk is full or failing; the old file stands.
        """
        sealed = self.model_copy(update={"seal": _seal(self.reports)})
        try:
            write_whole(path, sealed.model_dump_json(indent=1, exclude_none=True).encode())
        except OSError as error:
            raise ReviewError(f"{path} cannot be written ({error.strerror})", "make room and try again") from error

    def with_reports(self, found: Iterable[CheckedReport]) -> "BenchRecord":
        """With these in place of earlier versions; what left the outbox meanwhile stays."""
        reports = {one.report: one for one in self.reports}
        for one in found:
            earlier = reports.get(one.report)
            blind = one.blind if earlier is None else tuple(sorted({*earlier.blind, *one.blind}))
            if one.cells:
                reports[one.report] = one.model_copy(update={"blind": blind})
        return BenchRecord(reports=tuple(sorted(reports.values(), key=lambda one: (one.at, one.report))))

    def progress(self, now: BenchConditions) -> "VerificationProgress":
        """What of it counts under these conditions."""
        live = [one for one in self.reports if one.source is Source.LIVE]
        same = [one for one in live if one.conditions == now]
        return VerificationProgress(
            counted=tuple(one for one in same if one.representative),
            chosen=sum(len(one.cells) - len(one.representative) for one in same),
            expired=tuple(one for one in live if one.conditions != now),
            not_live=tuple(one for one in self.reports if one.source is not Source.LIVE),
        )


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


def _seal(reports: Sequence[CheckedReport]) -> str:
    content = json.dumps(
        [one.model_dump(mode="json", exclude_none=True) for one in reports], sort_keys=True, ensure_ascii=False
    )
    return hashlib.sha256(content.encode()).hexdigest()
