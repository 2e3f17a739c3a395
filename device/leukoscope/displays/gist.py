"""What a screen says in a few words, for displays too small for a picture of it."""

from dataclasses import dataclass, replace

from leukoscope.displays import wording
from leukoscope.displays.language import ENGLISH, Words
from leukoscope.displays.state import (
    Counting,
    DifferentialLine,
    Fault,
    Guiding,
    Looking,
    Ready,
    Result,
    Screen,
    Sent,
    Starting,
)
from leukoscope.sentence import Sentence


@dataclass(frozen=True, slots=True)
class Gist:
    """A screen in order of importance."""

    title: str
    corner: str = ""
    """Right end of the title line."""
    big: str = ""
    """The one thing to read from arm's length."""
    beside: tuple[str, ...] = ()
    """At most two short lines to the right of `big`."""
    rows: tuple[DifferentialLine, ...] = ()
    progress: float | None = None
    """0-1; None for no bar."""
    paragraphs: tuple[str, ...] = ()
    """Whatever else fits."""


def gist(screen: Screen, words: Words = ENGLISH) -> Gist:
    """The few words of any screen, in a language."""
    content = _gist(screen)
    return replace(
        content,
        title=words(content.title),
        corner=words(content.corner),
        big=words(content.big),
        beside=tuple(map(words, content.beside)),
        paragraphs=tuple(map(words, content.paragraphs)),
    )


def _gist(screen: Screen) -> Gist:
    match screen:
        case Starting():
            content = Gist("STARTING", screen.version, big="leukoscope", paragraphs=(screen.step,))
        case Ready():
            content = _ready(screen)
        case Looking():
            content = _looking(screen)
        case Counting():
            content = _counting(screen)
        case Result():
            content = _result(screen)
        case Sent():
            content = _sent(screen)
        case Fault():
            content = Gist(
                Sentence("FAULT: {part}", part=screen.part),
                paragraphs=(screen.happened, Sentence("> {todo}", todo=screen.todo)),
            )
        case Guiding():
            badge = wording.BADGE[screen.source]
            content = Gist(screen.part, badge, progress=screen.share, paragraphs=(screen.todo, screen.note))
    return content


def _ready(screen: Ready) -> Gist:
    warning = Sentence("! {warning}", warning=screen.warning) if screen.warning else ""
    return Gist(
        wording.READY[screen.mode],
        wording.BADGE[screen.source],
        big="Press",
        beside=("", "to start"),
        paragraphs=tuple(filter(None, (wording.specimen(screen.sample_hint), warning, wording.broker_line(screen)))),
    )


def _looking(screen: Looking) -> Gist:
    what, why = wording.HINT[screen.hint]
    return Gist(
        f"{screen.white_so_far}/{screen.white_goal}",
        wording.BADGE[screen.source],
        big=what,
        progress=wording.share_done(screen.white_so_far, screen.white_goal),
        paragraphs=(why,),
    )


def _counting(screen: Counting) -> Gist:
    blood = Sentence(
        "RBC {red}  PLT {platelets}", red=wording.grouped(screen.red_cells), platelets=wording.grouped(screen.platelets)
    )
    flaw = (
        Sentence("! last: {flaw}", flaw=wording.FLAW[screen.last_flaw])
        if screen.last_flaw
        else "! slide was lost" * screen.lost
    )
    return Gist(
        wording.counting_title(screen),
        wording.BADGE[screen.source] or wording.clock(screen.elapsed_s),
        big=str(screen.white_so_far),
        beside=(Sentence("of {goal}", goal=screen.white_goal), wording.CELLS_IN_A_WORD[screen.mode]),
        rows=screen.differential,
        progress=wording.share_done(screen.white_so_far, screen.white_goal),
        paragraphs=(wording.go_on_line(screen),)
        if screen.paused
        else (
            wording.fields_and_area(screen),
            flaw or wording.unnamed_line(screen) or wording.precision_line(screen) or blood,
        ),
    )


def _result(screen: Result) -> Gist:
    diameter = screen.red_cell_diameter_um
    cells = Sentence(f"{{count}} {wording.CELLS_IN_A_WORD[screen.mode]}", count=screen.white_cells)
    if diameter is not None:
        cells = cells.and_also(", RBC {size}", size=f"{diameter:.1f} µm")
    remarks = (*screen.findings, *(Sentence("! {warning}", warning=warning) for warning in screen.warnings))
    return Gist(
        wording.specimen(screen.sample_id),
        wording.BADGE[screen.source] or (f"{screen.page}/{screen.pages}" if screen.pages > 1 else ""),
        rows=screen.differential,
        paragraphs=(cells, *remarks),
    )


def _sent(screen: Sent) -> Gist:
    return Gist(
        "REPORT",
        wording.BADGE[screen.source],
        big=wording.DELIVERY[screen.delivery],
        paragraphs=tuple(
            filter(
                None,
                (
                    Sentence("! {warning}", warning=screen.why) if screen.why else "",
                    "" if screen.why else Sentence("Report {report}", report=screen.report_id),
                    wording.waiting_line(screen),
                ),
            )
        ),
    )
