"""The file in which a bench keeps the checked cells of its own live reports: what verifies it, or does not."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from leukoscope.errors import ReviewError
from leukoscope.reviewing.checked_cells import BenchConditions, CheckedReport
from leukoscope.reviewing.verification_progress import VerificationProgress
from leukoscope.schema import FrozenModel, explain
from leukoscope.specimen.sample import Source
from leukoscope.system.durable_files import write_whole

FILE = "verification.json"
"""In the bench's storage folder."""


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


def _seal(reports: Sequence[CheckedReport]) -> str:
    content = json.dumps(
        [one.model_dump(mode="json", exclude_none=True) for one in reports], sort_keys=True, ensure_ascii=False
    )
    return hashlib.sha256(content.encode()).hexdigest()
