"""What the display says about a report's way to the broker, from a whole run."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from leukoscope.displays.panel import Panel
from leukoscope.displays.state import Delivery, Screen, Sent
from tests.brokers import HOST, Mosquitto, free_port
from tests.commands.command_line import leukoscope
from tests.commands.test_run import write_bench
from tests.delivery.scripted_broker import ScriptedBroker


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[Screen]:
    """Every screen that a run puts on its displays."""
    screens: list[Screen] = []
    show: Callable[..., object] = Panel.show

    def noted(panel: Panel, screen: Screen) -> object:
        screens.append(screen)
        return show(panel, screen)

    monkeypatch.setattr(Panel, "show", noted)
    monkeypatch.setattr("leukoscope.service.telemetry.RESULT_S", 0.0)
    return screens


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    running = Mosquitto(tmp_path / "mosquitto").start()
    yield running
    running.kill()


def last_delivery(shown: list[Screen], folder: Path, port: int) -> Sent:
    return delivery_under(shown, folder, f'{{ driver = "mqtt", host = "{HOST}", port = {port} }}')


def delivery_under(shown: list[Screen], folder: Path, reporting: str) -> Sent:
    outcome = leukoscope("run", "--bench", write_bench(folder, reporting=reporting), "--samples", "1")
    assert outcome.code == 0, outcome.err
    return [screen for screen in shown if isinstance(screen, Sent)][-1]


def test_a_report_that_waits_for_its_broker_is_shown_as_queued(
    tmp_path: Path, shown: list[Screen], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leukoscope.service.telemetry.FLUSH_S", 0.3)
    last = last_delivery(shown, tmp_path, free_port())
    assert (last.delivery, last.pending) == (Delivery.QUEUED, 1)


def test_a_queued_report_says_what_keeps_it_from_being_sent(
    tmp_path: Path, shown: list[Screen], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leukoscope.service.telemetry.FLUSH_S", 1.0)
    with ScriptedBroker(goodbye=0x89) as busy:
        last = last_delivery(shown, tmp_path, busy.port)
    assert last.delivery is Delivery.QUEUED
    assert "Server busy" in last.why


def test_a_report_that_the_broker_has_is_shown_as_sent(tmp_path: Path, shown: list[Screen], broker: Mosquitto) -> None:
    last = last_delivery(shown, tmp_path, broker.port)
    assert (last.delivery, last.pending) == (Delivery.SENT, 0)


def test_a_report_of_a_device_without_a_broker_is_shown_as_kept(tmp_path: Path, shown: list[Screen]) -> None:
    assert delivery_under(shown, tmp_path, '{ driver = "none" }').delivery is Delivery.KEPT
