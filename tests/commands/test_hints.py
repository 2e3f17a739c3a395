"""What the screen asks of the technician while a sample is counted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leukoscope.displays.panel import Panel
from leukoscope.displays.state import Counting, Hint, Looking, Screen
from leukoscope.indicators.event import Event
from leukoscope.service.presenter import Presenter
from tests.commands.command_line import leukoscope
from tests.commands.test_run import read_report, write_bench

NEVER = 1e9
FAST = "overlap = 0.0, columns = 3, dwell_frames = 3, travel_frames = 0, microscope = { width = 320, height = 240 }"
"""Each field lies beside the one before, and the stage jumps there."""
SLOW = "overlap = 0.6, columns = 9, dwell_frames = 3, travel_frames = 1, microscope = { width = 320, height = 240 }"
BLURRED = 'path = "keys", microscope = { width = 320, height = 240, focus_um = 2.0 }'
STAYING = 'path = "keys", microscope = { width = 320, height = 240 }'

Run = Callable[..., list[Screen]]


@pytest.fixture
def message() -> list[Event]:
    return []


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, message: list[Event]) -> Run:
    """Counts so many frames of a simulated slide; returns the screens."""
    screens: list[Screen] = []
    show = Panel.show

    def shown(self: Panel, screen: Screen) -> Any:
        screens.append(screen)
        return show(self, screen)

    def signalled(_: Presenter, event: Event) -> None:
        message.append(event)

    monkeypatch.setattr(Panel, "show", shown)
    monkeypatch.setattr(Presenter, "_signal", signalled)
    monkeypatch.setattr("leukoscope.service.telemetry.RESULT_S", 0.0)

    def counted(camera: str, *, frames: int, hint_after_s: float) -> list[Screen]:
        monkeypatch.setattr("leukoscope.service.acquisition.HINT_AFTER_S", hint_after_s)
        path = write_bench(
            tmp_path,
            "after_s = 0.0 }]",
            f'after_s = 0.0 }}, {{ action = "finish", after_polls = {frames} }}]',
            camera=f'{{ driver = "simulated", {camera} }}',
            calibration="{ um_per_px = 0.127 }",
            white_cells=5000,
        )
        outcome = leukoscope("run", "--bench", path, "--samples", "1")
        # A run that counted no field ends with 1 and says why.
        nothing_counted = read_report(tmp_path)["fields"]["counted"] == 0
        assert outcome.code == (1 if nothing_counted else 0), outcome.err
        return screens

    return counted


def hints(screens: list[Screen]) -> list[Hint]:
    return [screen.hint for screen in screens if isinstance(screen, Looking)]


def test_a_slide_that_is_lost_from_view_is_told_at_once_and_with_the_next_field(
    run: Run, tmp_path: Path, message: list[Event]
) -> None:
    screens = run(FAST, frames=12, hint_after_s=NEVER)
    patches = read_report(tmp_path)["fields"]["patches"]
    assert patches >= 2
    assert hints(screens).count(Hint.SLOWER) == patches - 1
    assert message.count(Event.REFUSED) == patches - 1
    begun = {screen.fields_counted: screen.lost for screen in screens if isinstance(screen, Counting)}
    assert begun == {0: False, 1: False} | dict.fromkeys(range(2, patches + 1), True)


def test_a_slide_that_stays_in_view_is_never_called_lost(run: Run, tmp_path: Path) -> None:
    screens = run(SLOW, frames=12, hint_after_s=NEVER)
    fields = read_report(tmp_path)["fields"]
    assert fields["patches"] == 1
    assert fields["counted"] >= 2
    assert hints(screens) == []
    assert not any(screen.lost for screen in screens if isinstance(screen, Counting))


def test_a_blurred_place_is_refused_once_and_then_the_screen_asks_for_focus(
    run: Run, tmp_path: Path, message: list[Event]
) -> None:
    screens = run(BLURRED, frames=8, hint_after_s=0.0)
    fields = read_report(tmp_path)["fields"]
    assert (fields["counted"], fields["rejected"]) == (0, 1)
    assert message.count(Event.REFUSED) == 1
    assert hints(screens)[-1] is Hint.FOCUS


def test_a_place_that_was_counted_asks_for_the_next_one(run: Run, tmp_path: Path) -> None:
    screens = run(STAYING, frames=8, hint_after_s=0.0)
    assert read_report(tmp_path)["fields"]["counted"] == 1
    assert hints(screens)[-1] is Hint.MOVE
