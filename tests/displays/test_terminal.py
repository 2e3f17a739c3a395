"""The terminal as a display."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import leukoscope
from leukoscope.displays.screens import draw
from leukoscope.displays.terminal import HIDE_CURSOR, SHOW_CURSOR, Terminal, TerminalSettings
from leukoscope.errors import DisplayError
from tests.displays.exhibits import EXHIBITS
from tests.displays.paper import Paper


def opened(paper: Paper, monochrome: bool, columns: int = 200, lines: int = 60) -> Terminal:
    return Terminal(paper, (128, 64), monochrome, lambda: (columns, lines))


@pytest.mark.parametrize("monochrome", [True, False])
def test_pictures_are_drawn_over_each_other_and_what_stood_above_stays(monochrome: bool) -> None:
    paper = Paper()
    paper.write("$ demo\n")
    terminal = opened(paper, monochrome)
    for name in ("ready", "counting", "sent"):
        terminal.show(draw(EXHIBITS[name], (128, 64), monochrome))
    assert "".join(letter for letter, _ in paper.rows[0]) == "$ demo"
    assert len(paper.rows) == 1 + (16 if monochrome else 32) + 1


def test_the_cursor_is_hidden_while_drawing_and_comes_back() -> None:
    paper = Paper()
    terminal = opened(paper, True)
    terminal.show(draw(EXHIBITS["ready"], (128, 64), True))
    assert not paper.cursor_shown
    terminal.close()
    assert paper.cursor_shown


def test_a_crash_brings_the_cursor_back() -> None:
    program = (
        "import sys\n"
        "from PIL import Image\n"
        "from leukoscope.displays.terminal import Terminal\n"
        "display = Terminal(sys.stdout, (128, 64), True, lambda: (200, 60))\n"
        "display.show(Image.new('1', (128, 64)))\n"
        "raise RuntimeError('crash')\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(leukoscope.__file__).parents[1]), "PYTHONUTF8": "1"}
    crashed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, env=environment, timeout=30, check=False
    )
    assert b"RuntimeError: crash" in crashed.stderr
    assert crashed.stdout.startswith(HIDE_CURSOR.encode())
    assert crashed.stdout.endswith(SHOW_CURSOR.encode())


def test_a_terminal_too_small_gets_a_smaller_picture_that_does_not_scroll() -> None:
    paper = Paper()
    terminal = opened(paper, False, columns=80, lines=24)
    for name in ("ready", "sent"):
        terminal.show(draw(EXHIBITS[name], (128, 64), False))
    seen = paper.half_blocks()
    assert seen.width == 80
    assert len(paper.rows) <= 24


def test_a_braille_screen_fits_into_the_usual_terminal() -> None:
    paper = Paper()
    picture = draw(EXHIBITS["counting"], (128, 64), True)
    opened(paper, True, columns=80, lines=24).show(picture)
    assert paper.braille() == picture


def test_odd_sizes_are_filled_up_with_black() -> None:
    paper = Paper()
    Terminal(paper, (97, 33), True, lambda: (200, 60)).show(Image.new("1", (97, 33), 1))
    seen = paper.braille()
    assert seen.size == (98, 36)
    assert seen.crop((0, 0, 97, 33)).getextrema() == (255, 255)
    assert seen.crop((0, 33, 98, 36)).getextrema() == (0, 0)


def test_output_that_is_no_terminal_is_refused_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False, raising=False)
    with pytest.raises(DisplayError, match=r'needs a terminal.*driver = "snapshot"'):
        TerminalSettings().open()
