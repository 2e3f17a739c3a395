"""What the next sample is called: is a code one, was it used before, and what comes when nobody says."""

import re
from datetime import datetime
from enum import StrEnum

from leukoscope.service.sample_register import SampleRegister
from leukoscope.settings import MOST_ID_CHARS, SampleSettings


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

    def __init__(self, settings: SampleSettings, register: SampleRegister) -> None:
        self._settings, self._register = settings, register
        self._asked: tuple[str, float] | None = None

    def offer(self, sample_id: str, now_s: float) -> Verdict:
        """Judge an id that came at `now_s`, seconds of a clock that only runs forward."""
        asked, self._asked = self._asked, None
        if not (
            len(sample_id) <= MOST_ID_CHARS
            and sample_id.isprintable()
            and sample_id.strip() == sample_id != ""
            and re.fullmatch(self._settings.pattern, sample_id)
        ):
            return Verdict.NOT_AN_ID
        confirmed = asked is not None and asked[0] == sample_id and now_s - asked[1] <= self._settings.confirm_s
        if confirmed or not self._register.knows(sample_id):
            return Verdict.TAKEN
        self._asked = (sample_id, now_s)
        return Verdict.USED_BEFORE

    def automatic(self, begun_at: datetime) -> str:
        """A name for a sample that nobody named."""
        if self._settings.automatic == "time":
            return begun_at.strftime("%Y%m%d-%H%M%S")
        number = self._register.begun + 1
        while self._register.knows(f"{number:06d}"):
            number += 1
        return f"{number:06d}"
