"""The broker inside the demo, and the reader that shows that a report really arrived."""

import json
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from embedded_broker import embedded_broker
from leukoscope.errors import BrokerError, InvalidMessage
from leukoscope.messages.report import encode
from leukoscope.outbox.record_report import record
from leukoscope.reviewing.pages import page
from leukoscope.specimen.sample import RulesIdentity, Source
from tests.brokers import HOST, free_port, wait_until
from tests.delivery.conftest import clock
from tests.messages.examples import IDENTITY, NOW, report
from watch_reports import Watch, wait_for_report

TOOLS = Path(__file__).parents[2] / "tools"


def shown(sample):
    console = Console(width=100, record=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    with console.file:
        console.print(page(sample))
        return console.export_text()


def test_the_watcher_says_what_the_smear_is_of_and_by_which_rules():
    marrow = replace(report(1), rules=RulesIdentity("ours", "1.2.0", "d" * 64, "marrow"))
    assert "marrow cells" in shown(marrow)
    assert "marrow by rules ours 1.2.0" in shown(marrow)
    assert "white cells" in shown(report(1))


def test_a_report_goes_through_the_embedded_broker(publisher, outbox):
    with embedded_broker() as address, Watch(address.host, address.port) as watch:
        running = publisher(address.port, protocol="3.1.1")
        key = record(report(1), outbox, IDENTITY, now=clock)
        assert running.flush(5)
        (message,) = [next(watch.messages(timeout_s=5))]
        assert message["id"] == key.id
        running.stop()


def test_the_embedded_broker_says_that_it_cannot_speak_mqtt_5(publisher):
    with embedded_broker() as address:
        running = publisher(address.port, protocol="5", connect_timeout_s=0.3)
        assert wait_until(lambda: running.state.last_error)
        assert "set protocol to 3.1.1" in running.state.last_error
        running.stop()


def test_waiting_for_a_report_returns_the_one_that_was_asked_for(publisher, outbox):
    with embedded_broker() as address:
        running = publisher(address.port, protocol="3.1.1")
        answers = []
        waiting = threading.Thread(
            target=lambda: answers.append(wait_for_report(HOST, address.port, report_id=report(2).id, timeout_s=5))
        )
        waiting.start()
        while waiting.is_alive():
            record(report(1), outbox, IDENTITY, now=clock)
            record(report(2), outbox, IDENTITY, now=clock)
            running.wake()
            # Reports are not stored at the broker, so they are said again until the reader is there.
            waiting.join(0.2)
            outbox._connection.execute("UPDATE message SET state = 'pending'")
        assert answers == [report(2)]
        running.stop()


def test_a_report_that_does_not_come_is_an_error_that_says_so():
    with (
        embedded_broker() as address,
        pytest.raises(BrokerError, match=r"no report x arrived at .* within 0\.2 s"),
    ):
        wait_for_report(HOST, address.port, report_id="x", timeout_s=0.2)


def test_a_watcher_without_a_broker_says_so():
    with pytest.raises(BrokerError, match="no broker answers"):
        wait_for_report(HOST, free_port(), timeout_s=0.2)


def test_a_taken_port_is_named():
    with (
        embedded_broker() as address,
        pytest.raises(BrokerError, match=str(address.port)),
        embedded_broker(address.port),
    ):
        pass


def test_a_report_that_arrives_twice_is_shown_once_and_what_is_no_report_is_told(mosquitto):
    broker = mosquitto().start()
    message = json.dumps(encode(report(1), boot_id="b", sequence=1, sent_clock=NOW))
    with Watch(HOST, broker.port) as watch:
        for payload in (message, message, "rubbish"):
            watch._client.publish(IDENTITY.topic("report"), payload, qos=1)
        found = watch.messages(timeout_s=5)
        assert next(found)["id"] == report(1).id
        with pytest.raises(InvalidMessage):
            next(found)


def test_the_picture_shows_counts_intervals_and_where_the_result_comes_from():
    text = shown(report(1))
    assert "Sample S-1" in text
    row = next(line for line in text.splitlines() if "neutrophil" in line)
    assert [part.strip() for part in row.split("│")[1:-1]] == [
        "neutrophil", "60", "60.0%", "49.7% - 69.7%", "58.0%", "47.0% - 69.0%",
    ]  # fmt: skip
    assert "SIMULATED · ward-3/scope-1 · leukoscope 0.1.0 · smear-unet 1.0.0 (onnx)" in text
    assert "Fewer than 200 white cells were counted." in text
    assert "40 counted, 2 refused (out of focus 2, crowded 1)" in text


def test_a_live_result_is_not_called_simulated():
    import dataclasses

    live = dataclasses.replace(report(1).provenance, source=Source.LIVE)
    assert "SIMULATED" not in shown(report(1, provenance=live))


def test_a_sample_id_cannot_play_tricks_with_the_terminal_markup():
    assert "[red]x" in shown(report(1, sample_id="[red]x"))
    assert "\x1b]" not in shown(report(1, sample_id="\x1b]0;title\x07"))


def test_both_tools_work_from_the_command_line(publisher, outbox):
    port = free_port()
    broker = subprocess.Popen(
        [sys.executable, TOOLS / "embedded_broker.py", "--port", str(port)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert str(port) in broker.stdout.readline()
        watcher = subprocess.Popen(
            [sys.executable, TOOLS / "watch_reports.py", "--port", str(port), "--json", "--count", "1"],
            stdout=subprocess.PIPE,
            text=True,
        )
        running = publisher(port, protocol="3.1.1")
        record(report(1), outbox, IDENTITY, now=clock)
        while watcher.poll() is None:
            outbox._connection.execute("UPDATE message SET state = 'pending'")
            running.wake()
            running.flush(0.3)
        assert json.loads(watcher.communicate()[0])["id"] == report(1).id
        running.stop()
    finally:
        broker.terminate()
        assert broker.wait(5) == 0
        broker.stdout.close()
