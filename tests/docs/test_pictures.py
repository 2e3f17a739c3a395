"""The pictures of the documents show what the program says today; their tools draw them anew."""

import re
from pathlib import Path

import pytest
from PIL import Image

from leukoscope.displays.annotation import MEANINGS
from leukoscope.displays.language import read_catalogue
from leukoscope.displays.screens import draw
from leukoscope.displays.state import Counting, Looking, Result
from screens_in_picture import ShownScreen, png_info, shown_in
from tests.displays.exhibits import EXHIBITS
from tests.displays.test_golden_screens import how_far

DEVICE = Path(__file__).resolve().parents[2] / "device"
PALETTE = 15.0
"""What 256 colours may add to the difference of two pictures, levels."""
AS_GOLDEN = 40.0
HOW = {
    "demo.png": "./tools/demo, then tools/draw_demo_picture.py",
    "session.png": "tools/draw_session.py",
    "docs/samples/healthy.png": "tools/draw_samples.py",
    "docs/samples/leukaemic.png": "tools/draw_samples.py",
}


def difference(path: Path, one: ShownScreen) -> float:
    """How far the picture is from what the program draws now."""
    width, height = (side * one.scale for side in one.drawn)
    with Image.open(path) as picture:
        kept = picture.convert("RGB").crop((one.left, one.top, one.left + width, one.top + height))
    return how_far(draw(one.screen, one.drawn, False), kept.resize(one.drawn, Image.Resampling.NEAREST))


@pytest.mark.parametrize("name", HOW)
def test_the_display_in_a_picture_says_what_the_program_says(name: str) -> None:
    shown, key = shown_in(DEVICE / name)
    assert shown
    for one in shown:
        assert difference(DEVICE / name, one) <= AS_GOLDEN + PALETTE, f"draw it anew: {HOW[name]}"
    if name == "demo.png":
        assert key == [words for words, _, _ in MEANINGS], f"draw it anew: {HOW[name]}"


@pytest.mark.parametrize("name", HOW)
def test_findings_in_a_picture_are_sentences_of_the_program(name: str) -> None:
    ids = [re.sub(r"\\{\w+\\}", ".+", re.escape(one)) for one in read_catalogue("fr")]
    results = [one.screen for one in shown_in(DEVICE / name)[0] if isinstance(one.screen, Result)]
    assert results
    for text in (text for one in results for text in (*one.findings, *one.warnings)):
        assert any(re.fullmatch(one, text) for one in ids), f"{text}: draw it anew: {HOW[name]}"


def test_a_picture_of_words_that_changed_is_noticed(tmp_path: Path) -> None:
    path, size = tmp_path / "old.png", (320, 240)
    counting, looking = EXHIBITS["counting_paused"], EXHIBITS["looking_move"]
    assert isinstance(counting, Counting) and isinstance(looking, Looking)
    for drawn, said, noticed in ((counting, counting, False), (looking, counting, True)):
        draw(drawn, size, False).quantize(256).save(path, pnginfo=png_info([ShownScreen(said, size, 0, 0)]))
        (one,), _ = shown_in(path)
        assert one.screen == said
        assert (difference(path, one) > AS_GOLDEN + PALETTE) is noticed
