"""A message is judged by a process of its own as it would be here."""

import pytest

from leukoscope.errors import InvalidMessage
from leukoscope.messages.json_format import validate
from leukoscope.messages.report import REPORT_SCHEMA, encode
from leukoscope.messages.schema_process import validate_beside
from leukoscope.system.clock import utc_now
from tests.messages.examples import report


def test_the_first_message_that_breaks_its_schema_is_refused_in_the_same_words() -> None:
    good = encode(report(), boot_id="boot", sequence=1, sent_clock=utc_now())
    validate_beside([good, good], REPORT_SCHEMA)
    for wrong in (good | {"version": 0}, good | {"schema": "leukoscope/cell/1"}):
        with pytest.raises(InvalidMessage) as here:
            validate(wrong, REPORT_SCHEMA)
        with pytest.raises(InvalidMessage) as beside:
            validate_beside([good, wrong], REPORT_SCHEMA)
        assert str(beside.value) == str(here.value)
