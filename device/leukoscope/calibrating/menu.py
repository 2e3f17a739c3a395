"""Every calibration by the bench's button alone: a short press turns the page, a long one begins what it names."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from leukoscope.calibrating.guide import guided
from leukoscope.controls import Action
from leukoscope.errors import LeukoscopeError
from leukoscope.sentence import Sentence
from leukoscope.settings import BenchSettings

TITLE = "Calibration"
HOW = "Press: next. Hold: begin."


@dataclass(frozen=True, slots=True)
class Page:
    """One calibration in the menu."""

    title: str
    """What is calibrated, as on the display."""
    begin: Callable[[], None]
    """Opens camera, displays and button by itself, and leads through it."""


def show_menu(bench: Path, pages: Sequence[Page]) -> None:
    """Offer the pages until the technician leaves, by the last page or by a very long press.

    Nothing of the bench may be open. The menu shows that an attempt was refused or ended by a long press; neither
    changes anything.

    Raises:
        LeukoscopeError: the settings are wrong, or a display or control cannot be opened.
    """
    settings = BenchSettings.read(bench)
    at, note = 0, HOW
    while (chosen := _choose(settings, pages, at, note)) is not None:
        at, note = chosen, HOW
        try:
            pages[chosen].begin()
            note = Sentence("{part}: done", part=pages[chosen].title)
        except LeukoscopeError as error:
            note = str(error)
        except KeyboardInterrupt:
            note = Sentence("{part}: left, nothing was changed", part=pages[chosen].title)


def _choose(settings: BenchSettings, pages: Sequence[Page], at: int, note: str) -> int | None:
    """The number of the page that was chosen; None to leave. The first screen tells how the last attempt ended."""
    with guided(settings, TITLE, live=True, by_button=True) as guide:
        while True:
            guide.show(pages[at].title if at < len(pages) else "Leave", note)
            match guide.next_press():
                case Action.TOGGLE if note == HOW:
                    at = (at + 1) % (len(pages) + 1)
                case Action.TOGGLE:
                    note = HOW
                case Action.FINISH:
                    return at if at < len(pages) else None
                case Action.DISCARD | Action.QUIT:
                    return None
                case _:
                    pass
