"""From a finished count to a message that can no longer be lost."""

from leukoscope.reporting.identity import Identity
from leukoscope.reporting.message import encode
from leukoscope.reporting.outbox import Key, Outbox
from leukoscope.reporting.sink import Clock
from leukoscope.reporting.wire import to_bytes
from leukoscope.specimen.sample import SampleReport

REPORT_KIND = "report"


def record(report: SampleReport, outbox: Outbox, identity: Identity, *, now: Clock) -> Key:
    """Encode a report and put it in the outbox; it is on the disk when this returns.

    Recording the same id and version again changes nothing: what was recorded first is what was said.

    Raises:
        InvalidMessage: the report breaks the published schema.
        OutboxError: the disk is full or failing.
    """
    moment = now()
    message = encode(
        report,
        boot_id=identity.boot_id,
        sequence=outbox.next_sequence(),
        sent_clock=moment,
        clock_synchronised=report.provenance.clock_synchronised,
    )
    key = Key(report.id, report.version, REPORT_KIND)
    outbox.put(key, REPORT_KIND, to_bytes(message), moment)
    return key
