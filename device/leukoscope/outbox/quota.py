"""How full the outbox is, and when no further sample may begin."""

from datetime import datetime

from leukoscope.errors import OutboxError
from leukoscope.outbox.store import Outbox
from leukoscope.sentence import Sentence

WARN_FROM = 0.8
"""Share of the quota from which the display says so."""


class Quota:
    """Keeps an outbox below its quota by letting go of what was delivered and signed, and of nothing else.

    A sample that has begun is always recorded; it is the next one that has to wait.
    """

    def __init__(self, outbox: Outbox, max_bytes: int, *, keep_unsigned: bool = True) -> None:
        """Without `keep_unsigned` what was delivered may go unsigned, where no person reviews on the device."""
        self._outbox = outbox
        self._max_bytes = max_bytes
        self._keep_unsigned = keep_unsigned

    def why_full(self, now: datetime) -> OutboxError | None:
        """Why no further sample may begin, and what to do about it; None when one may."""
        try:
            if self._outbox.free_space(now, self._max_bytes, keep_unsigned=self._keep_unsigned):
                return None
            waiting = self._outbox.counts()
        except OutboxError as error:
            return error
        if waiting.pending + waiting.refused >= waiting.sent or not self._keep_unsigned:
            return OutboxError(
                Sentence(
                    "The outbox is full, {pending} reports wait and {refused} were refused",
                    pending=waiting.pending,
                    refused=waiting.refused,
                ),
                "connect the broker, or raise storage.outbox_max_mib",
            )
        return OutboxError(
            Sentence("The outbox is full, {sent} reports were sent and not signed", sent=waiting.sent),
            "sign them, raise storage.outbox_max_mib, or set storage.keep_unsigned = false where nobody signs here",
        )

    def warning(self) -> str:
        """What the technician should know before it is full; empty when there is room."""
        try:
            share = self._outbox.used_bytes() / self._max_bytes
            waiting = self._outbox.counts()
        except OutboxError as error:
            return str(error)
        if share < WARN_FROM or not (waiting.pending or (self._keep_unsigned and waiting.sent)):
            return ""
        full = f"{min(share, 1):.0%}"
        if waiting.pending:
            return Sentence("Outbox {share} full, {reports} reports wait", share=full, reports=waiting.pending)
        return Sentence("Outbox {share} full, {sent} sent, those unsigned stay", share=full, sent=waiting.sent)
