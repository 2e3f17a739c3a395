"""Laws of the layouts, for any words and numbers."""

from collections.abc import Sequence
from itertools import combinations
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukoscope.displays.canvas import Canvas
from leukoscope.displays.canvas import PlacedText as ColourPlaced
from leukoscope.displays.colour import paint_colour
from leukoscope.displays.compact import paint_compact
from leukoscope.displays.dotcanvas import DotCanvas
from leukoscope.displays.dotcanvas import PlacedText as DotPlaced
from leukoscope.displays.gist import gist
from leukoscope.displays.language import Language, words_of
from leukoscope.displays.lettering import printable
from leukoscope.displays.screens import draw
from leukoscope.displays.state import (
    BrokerState,
    Counting,
    Delivery,
    DifferentialLine,
    Fault,
    Guiding,
    Hint,
    Looking,
    Precision,
    Ready,
    Result,
    Screen,
    Sent,
    Starting,
)
from leukoscope.specimen.field import Flaw
from leukoscope.specimen.sample import Source
from tests.displays.exhibits import EXHIBITS

texts = st.text(st.characters(min_codepoint=32, max_codepoint=0x24F), max_size=120)
counts = st.integers(0, 9_999_999)
sources = st.sampled_from(Source)
shares = st.floats(0, 100)
lines = st.builds(DifferentialLine, texts, shares, shares, shares)
differentials = st.lists(lines, max_size=16).map(tuple)
remarks = st.lists(texts, max_size=5).map(tuple)
screens: st.SearchStrategy[Screen] = st.one_of(
    st.builds(Starting, texts, texts),
    st.builds(Ready, texts, st.sampled_from(BrokerState), sources, counts, texts),
    st.builds(Looking, st.sampled_from(Hint), counts, counts, sources),
    st.builds(
        Counting,
        counts,
        counts,
        counts,
        counts,
        st.none() | st.sampled_from(Flaw),
        differentials,
        counts,
        counts,
        st.floats(0, 1e4),
        st.none() | st.builds(Precision, texts, shares, counts),
        st.floats(0, 1e6),
        st.booleans(),
        sources,
    ),
    st.builds(Result, texts, differentials, counts, st.none() | st.floats(0, 99), remarks, remarks, sources),
    st.builds(Sent, texts, counts, st.sampled_from(Delivery), sources, st.just("") | texts),
    st.builds(Fault, texts, texts, texts),
    st.builds(Guiding, texts, texts, texts, st.none() | st.floats(0, 1), sources),
)
COLOUR_SIZES = [(240, 240), (320, 240), (240, 320), (480, 320)]
DOT_SIZES = [(128, 64), (128, 32), (96, 64), (96, 32), (256, 64), (128, 128), (160, 128)]


HUGE = 9_999_999
WIDE = "W" * 120
EXTREMES: list[Screen] = [
    Counting(HUGE, HUGE, HUGE, HUGE, Flaw.OUT_OF_FOCUS, (), HUGE, HUGE, 1e4, None, 1e6, True, Source.SIMULATED),
    Counting(
        1,
        1,
        HUGE,
        HUGE,
        None,
        (DifferentialLine(WIDE, 100, 0, 100),) * 16,
        1,
        1,
        1e4,
        Precision(WIDE, 5.0, HUGE),
        1e6,
        False,
        Source.LIVE,
    ),
    Result(WIDE, (DifferentialLine(WIDE, 100, 0, 100),) * 16, HUGE, 99.0, (WIDE,) * 9, (WIDE,) * 9, Source.REPLAYED),
    Ready(WIDE, BrokerState.OFFLINE, Source.SIMULATED, HUGE, WIDE),
    Looking(Hint.TOO_CROWDED, HUGE, HUGE, Source.SIMULATED),
    Sent(WIDE, HUGE, Delivery.QUEUED, Source.SIMULATED),
    Sent(WIDE, HUGE, Delivery.QUEUED, Source.SIMULATED, WIDE),
    Fault(WIDE, WIDE, WIDE),
    Guiding(WIDE, WIDE, WIDE, 1.0, Source.SIMULATED),
    Starting(WIDE, WIDE),
]


def assert_no_text_runs_over(canvas: Canvas | DotCanvas) -> None:
    width, height = canvas.image.size
    for text in canvas.placed:
        assert text.left >= -1 and text.right <= width + 1, text
        assert text.top >= 0 and text.bottom <= height + 1, text
    placed: Sequence[DotPlaced | ColourPlaced] = canvas.placed
    for one, other in combinations(placed, 2):
        across = min(one.right, other.right) - max(one.left, other.left)
        down = min(one.bottom, other.bottom) - max(one.top, other.top)
        # The ink of a brace below may just reach that of a g above.
        assert across <= 0 or down <= 1.5 * canvas.image.height / 240, (one, other)


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize("screen", [*EXTREMES, *EXHIBITS.values()], ids=lambda screen: type(screen).__name__)
def test_the_longest_words_and_numbers_stay_apart(screen: Screen, language: Language) -> None:
    words = words_of(language)
    for size in COLOUR_SIZES:
        colour = Canvas(size, words)
        paint_colour(screen, colour)
        assert_no_text_runs_over(colour)
    for size in DOT_SIZES:
        dots = DotCanvas(size, words("+{count} more"))
        paint_compact(gist(screen, words), dots)
        assert_no_text_runs_over(dots)


@settings(max_examples=60, deadline=None)
@given(screen=screens, size=st.sampled_from(COLOUR_SIZES))
def test_no_words_or_numbers_make_texts_overlap_in_colour(screen: Screen, size: tuple[int, int]) -> None:
    canvas = Canvas(size)
    paint_colour(screen, canvas)
    assert_no_text_runs_over(canvas)


@settings(max_examples=100, deadline=None)
@given(screen=screens, size=st.sampled_from(DOT_SIZES))
def test_no_words_or_numbers_make_texts_overlap_in_dots(screen: Screen, size: tuple[int, int]) -> None:
    canvas = DotCanvas(size)
    paint_compact(gist(screen), canvas)
    assert_no_text_runs_over(canvas)


@pytest.mark.parametrize("name", EXHIBITS)
def test_the_same_screen_gives_the_same_picture(name: str) -> None:
    for size, monochrome in (((128, 64), True), ((240, 240), False)):
        first, second = (draw(EXHIBITS[name], size, monochrome) for _ in range(2))
        assert first == second


@pytest.mark.parametrize("name", ["ready_offline", "looking_focus", "counting", "result", "queued", "result_crowded"])
@pytest.mark.parametrize("size", [*COLOUR_SIZES, *DOT_SIZES])
def test_what_is_not_live_wears_a_badge(name: str, size: tuple[int, int]) -> None:
    badges = {"SIMULATED", "REPLAY"}
    if size in COLOUR_SIZES:
        colour = Canvas(size)
        paint_colour(EXHIBITS[name], colour)
        said = {placed.text for placed in colour.placed}
    else:
        dots = DotCanvas(size)
        paint_compact(gist(EXHIBITS[name]), dots)
        said = {placed.text for placed in dots.placed}
    assert said & badges


@pytest.mark.parametrize("name", ["ready", "looking_move", "counting_paused", "result_plain", "sent"])
def test_a_live_sample_wears_none(name: str) -> None:
    canvas = Canvas((320, 240))
    paint_colour(EXHIBITS[name], canvas)
    assert not {placed.text for placed in canvas.placed} & {"SIMULATED", "REPLAY"}


def test_other_sizes_get_the_nearest_layout() -> None:
    screen = EXHIBITS["counting"]
    for size, monochrome in (((96, 32), True), ((160, 128), False), ((800, 480), False), ((240, 240), True)):
        picture = draw(screen, size, monochrome)
        assert picture.size == size
        assert picture.mode == ("1" if monochrome else "RGB")
        assert picture.convert("L").getextrema()[0] != picture.convert("L").getextrema()[1]


@pytest.mark.parametrize(("size", "monochrome"), [((128, 64), True), ((240, 240), False)])
def test_a_bar_is_not_full_before_the_goal_is_reached(size: tuple[int, int], monochrome: bool) -> None:
    almost, done = (Looking(Hint.MOVE, count, 1000, Source.LIVE) for count in (999, 1000))
    bars = [draw(each, size, monochrome).convert("L").crop((0, size[1] - 20, *size)) for each in (almost, done)]
    lit = [sum(bar.point(lambda level: level > 128).histogram()[1:]) for bar in bars]
    assert lit[0] < lit[1]


def test_a_display_too_small_for_words_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 96x32"):
        draw(EXHIBITS["sent"], (64, 32), True)


def test_letters_the_font_lacks_are_replaced_by_ones_it_has() -> None:
    assert printable("7.2 µm – Müller ≥ 5 ±1…") == "7.2 um - Müller ? 5 ±1…"


def test_accents_are_drawn_and_take_no_room() -> None:
    drawn = {}
    for letter in "eéèêë":
        canvas = Canvas((240, 240))
        wide = canvas.text(20, 120, letter, 30, 200)
        drawn[letter] = canvas.image.tobytes()
        assert wide == Canvas((240, 240)).text(20, 120, "e", 30, 200)
        assert canvas.placed[0].text == letter
    assert len(set(drawn.values())) == len(drawn)


def test_the_dot_of_an_i_gives_way_to_its_accent() -> None:
    columns = {}
    for letter in "ií":
        canvas = Canvas((240, 240))
        canvas.text(20, 120, letter, 60, 200)
        ink = canvas.image.convert("L").crop((0, 0, 240, 120 - 36)).point(lambda level: 255 * (level > 60))
        columns[letter] = ink.getbbox()
    assert columns["i"] and columns["í"]
    # An acute accent leans to the right and is wider than the dot.
    assert columns["í"][2] > columns["i"][2]


def test_a_paused_sample_says_how_to_go_on_on_every_glass() -> None:
    paused = EXHIBITS["counting_paused"]
    for size in COLOUR_SIZES:
        canvas = Canvas(size)
        paint_colour(paused, canvas)
        assert "Press to go on, hold to finish" in [placed.text for placed in canvas.placed]
    dots = DotCanvas((128, 64))
    paint_compact(gist(paused), dots)
    assert "Press to go on" in " ".join(placed.text for placed in dots.placed)


def test_press_to_start_stands_once_on_a_screen_without_a_name() -> None:
    canvas = Canvas((240, 240))
    paint_colour(EXHIBITS["ready_unnamed"], canvas)
    assert [placed.text for placed in canvas.placed].count("Press to start") == 1
    dots = DotCanvas((128, 64))
    paint_compact(gist(EXHIBITS["ready_unnamed"]), dots)
    assert " ".join(placed.text for placed in dots.placed).lower().count("to start") == 1
