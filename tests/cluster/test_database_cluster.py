"""A primary database that is killed: what was acknowledged is at the other, and collectors find it by themselves."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from fleet_simulation.patroni import ScratchPatroni
from fleet_simulation.postgres import ServerError
from leukoscope_collector.judging import Report, judge
from leukoscope_collector.postgres_store import PostgresSettings
from leukoscope_collector.report_store import StoreUnavailable
from tests.brokers import wait_until
from tests.collector.running import TOPIC, id_of, message, stored

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def patroni() -> Iterator[ScratchPatroni]:
    try:
        made = ScratchPatroni()
    except ServerError as error:
        pytest.skip(str(error))
    with made:
        yield made


def judged(number: int) -> Report:
    said = judge(TOPIC, message(number), topic_root="leukoscope/v1", largest=1_000_000)
    assert isinstance(said, Report)
    return said


def test_what_was_stored_outlives_the_primary_and_what_follows_is_stored_by_the_standby(patroni):
    settings = PostgresSettings.model_validate(patroni.store)
    store = settings.open()
    for number in range(1, 21):
        assert store.keep([judged(number)], [], datetime.now(UTC)).stored == 1
    killed = patroni.kill_primary()
    with pytest.raises(StoreUnavailable):
        store.keep([judged(21)], [], datetime.now(UTC))
    store.close()

    def keeps_all() -> bool:
        try:
            again = settings.open()
        except StoreUnavailable:
            return False
        kept = again.keep([judged(number) for number in range(1, 22)], [], datetime.now(UTC))
        again.close()
        return (kept.stored, kept.duplicates) == (1, 20)

    assert wait_until(keeps_all, timeout_s=240, every_s=0.5)
    assert stored(settings) == {(id_of(number), 1) for number in range(1, 22)}
    with patroni.connect() as sql:
        (port,) = sql.execute("SELECT inet_server_port()").fetchone()
    assert port == patroni.ports[1 - killed]
