"""What the next sample is called: whether a code is an id or was used before, and the name of an unnamed sample."""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum

from leukoscope.service.sample_register import SampleRegister
from leukoscope.settings import SampleSettings
from leukoscope.specimen.sample_id import why_not_an_id


class Verdict(StrEnum):
    """What becomes of an id that was scanned or typed."""

    TAKEN = "taken"
    """The next sample is called so."""
    USED_BEFORE = "used_before"
    """There is a sample of this name: it is taken when it comes once more in time."""
    NOT_AN_ID = "not_an_id"
    """Not printable, too long, or not what the settings expect."""


class SampleIds:
    """Judges ids, one after the other."""

    def __init__(
        self, settings: SampleSettings, register: SampleRegister, named: Callable[[str], bool] = lambda _: False
    ) -> None:
        """`named` says whether a person gave a finished sample this name afterwards."""
        self._settings, self._register, self._named = settings, register, named
        self._asked: tuple[str, float] | None = None

    def offer(self, sample_id: str, now_s: float) -> Verdict:
        """Judge an id that came at `now_s`, seconds of a clock that only runs forward."""
        asked, self._asked = self._asked, None
        if self.objection(sample_id) is not None:
            return Verdict.NOT_AN_ID
        confirmed = asked is not None and asked[0] == sample_id and now_s - asked[1] <= self._settings.confirm_s
        if confirmed or not self.used_before(sample_id):
            return Verdict.TAKEN
        self._asked = (sample_id, now_s)
        return Verdict.USED_BEFORE

    def objection(self, sample_id: str) -> str | None:
        """Why no specimen may be called so at this site; None when it may."""
        return why_not_an_id(sample_id, self._settings.pattern)

    def used_before(self, sample_id: str) -> bool:
        """Whether a sample of this name was begun and not discarded, or one was called so afterwards."""
        return self._register.knows(sample_id) or self._named(sample_id)

    def automatic(self, begun_at: datetime) -> str:
        """A name for a sample that the technician did not name."""
        if self._settings.automatic == "time":
            return begun_at.strftime("%Y%m%d-%H%M%S")
        number = self._register.begun + 1
        while self._register.knows(f"{number:06d}"):
            number += 1
        return f"{number:06d}"
