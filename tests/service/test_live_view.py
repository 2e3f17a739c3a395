"""What the page sees of the bench costs the count next to nothing."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from leukoscope.displays.live_picture import LONGEST_SIDE, live_picture
from leukoscope.displays.state import Fault
from leukoscope.sentence import Sentence, Verbatim
from leukoscope.service import live_view
from leukoscope.service.live_view import LEAST_BETWEEN_S, PICTURE_SHARE, WATCHED_FOR_S, BenchFacts, LiveView
from leukoscope.specimen.frame import Frame
from leukoscope.system.clock import utc_now
from leukoscope.system.page_folder import PICTURE
from leukoscope.web.bench_link import BenchLink
from leukoscope.web.words import said_in

FACTS = BenchFacts("simulated", False, 0.22, 0.1)
FRAME = Frame(np.full((60, 80, 3), 200, np.uint8), 1, utc_now(), "simulated")


class Watch:
    """A clock that each picture moves on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, picture_s: float) -> None:
        self.s, self.pictures = 100.0, 0

        def slowly(*_: object) -> bytes:
            self.s += picture_s
            self.pictures += 1
            return b"jpeg"

        monkeypatch.setattr(live_view, "live_picture", slowly)

    def __call__(self) -> float:
        return self.s


def test_pictures_take_a_fiftieth_of_the_time_however_slow_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock_s = Watch(monkeypatch, picture_s=0.2)
    view = LiveView(tmp_path, FACTS, utc_now, clock_s)
    begun_s = clock_s.s
    while clock_s.s - begun_s < 300:
        view.watch()
        view.picture(FRAME, sharpness=0.5)
        clock_s.s += 0.1
    assert 0 < 0.2 * clock_s.pictures <= PICTURE_SHARE * (clock_s.s - begun_s) + 0.2


def test_without_a_browser_no_picture_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock_s = Watch(monkeypatch, picture_s=0.0)
    view = LiveView(tmp_path, FACTS, utc_now, clock_s)
    view.picture(FRAME)
    assert clock_s.pictures == 0
    view.watch()
    view.picture(FRAME)
    view.picture(FRAME)
    assert clock_s.pictures == 1, "two pictures at one moment are one"
    clock_s.s += max(LEAST_BETWEEN_S, WATCHED_FOR_S)
    view.picture(FRAME)
    assert clock_s.pictures == 1, "the browser is gone"


def test_a_folder_that_cannot_be_written_is_told_once_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    view = LiveView(tmp_path / "live", FACTS, utc_now)
    (tmp_path / "live").rmdir()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            view.watch()
            view.turn("counting", None, ("alarm",))
            view.picture(FRAME)
            view.turn("ready", None, ())
    assert len(caplog.records) == 1
    assert not (tmp_path / "live" / PICTURE).exists()


def test_a_large_field_becomes_a_small_picture() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (1500, 2000, 3), np.uint8)
    content = live_picture(replace(FRAME, pixels=noise).pixels)
    assert content.startswith(b"\xff\xd8")
    assert len(content) < LONGEST_SIDE * LONGEST_SIDE, "a byte a pixel, even of noise"


def test_a_fault_and_a_warning_reach_the_page_as_texts_that_can_be_put_into_another_language(tmp_path: Path) -> None:
    view = LiveView(tmp_path, FACTS, utc_now)
    happened = Sentence("{found} °C, expected {most} at most", found=91, most=80)
    view.shown(Fault("Board", happened, "give it air, or a fan"))
    view.turn("ready", None, [Sentence("{name}: {what}", name=Verbatim("rules"), what="out of its limits")])
    state = BenchLink(tmp_path).state()
    assert state is not None
    assert state.screens["Fault"] == {"part": "Board", "happened": happened, "todo": "give it air, or a fan"}
    assert said_in("fr", state.screens["Fault"]["happened"]) == "91 °C, 80 au plus attendus"
    (alarm,) = state.alarms
    assert said_in("en", alarm) == "rules: out of its limits"
    assert isinstance(alarm.values["name"], Verbatim)
