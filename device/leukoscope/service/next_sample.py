"""The id of the next sample, as it is scanned or typed."""

from collections.abc import Callable
from datetime import datetime

from leukoscope.controls import Identify
from leukoscope.service.notices import NoticeTitle, NoticeTodo
from leukoscope.service.presenter import Presenter
from leukoscope.service.sample_ids import Verdict
from leukoscope.service.sample_log import SampleLog


class NextSample:
    """Collects a scanned or typed id, asks for confirmation of one used before, and gives it to one sample."""

    def __init__(
        self,
        sample_id: str,
        sample_log: SampleLog,
        presenter: Presenter,
        confirm_s: float,
        clock_s: Callable[[], float],
    ) -> None:
        """`sample_id` is the name already known, or empty; `confirm_s` how long a question waits for its answer."""
        self._sample_id = sample_id
        self._typed: str | None = None
        self._sample_log, self._presenter = sample_log, presenter
        self._confirm_s, self._clock_s = confirm_s, clock_s

    def receive(self, identify: Identify) -> bool:
        """Take in what was said; False where it is no name, or is to be said again."""
        self._typed = None if identify.complete else identify.sample_id
        if identify.complete and identify.sample_id:
            match self._sample_log.offer(identify.sample_id, self._clock_s()):
                case Verdict.NOT_AN_ID:
                    self._presenter.notice(NoticeTitle.NOT_AN_ID, NoticeTodo.SCAN_AGAIN, identify.sample_id)
                    return False
                case Verdict.USED_BEFORE:
                    todo = NoticeTodo.ONCE_MORE
                    self._presenter.notice(NoticeTitle.USED_BEFORE, todo, identify.sample_id, self._confirm_s)
                    return False
                case Verdict.TAKEN:
                    self._sample_id = identify.sample_id
        self._presenter.answered()
        return True

    def show(self, quota_warning: str) -> None:
        """Show the name and that a press starts it; `quota_warning` says how full the outbox is, where that matters."""
        self._presenter.ready(self._sample_id if self._typed is None else f"{self._typed}_", quota_warning)

    @property
    def is_named(self) -> bool:
        """The technician has said what it is called, or is typing it."""
        return bool(self._sample_id or self._typed)

    def forget(self) -> None:
        """It was not meant; the next press starts a sample without a name."""
        self._sample_id, self._typed = "", None

    def take(self, begun_at: datetime) -> str:
        """Its name, or an automatic one; a name is for one specimen, and the next one must not inherit it."""
        name = self._sample_id or self._sample_log.automatic(begun_at)
        self.forget()
        return name
