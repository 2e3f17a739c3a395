"""The layout for colour displays of 240x240 and more, upright or across."""

from PIL import Image

from leukoscope.displays import wording
from leukoscope.displays.canvas import Canvas
from leukoscope.displays.colour_sample import paint_counting, paint_result
from leukoscope.displays.header import HEADER, MARGIN, header
from leukoscope.displays.icons import icon
from leukoscope.displays.language import Words
from leukoscope.displays.palette import ACCENT, BAD, CAUTION, EDGE, GOOD, MUTED, PANEL, TEXT
from leukoscope.displays.state import (
    BrokerState,
    Counting,
    Delivery,
    Fault,
    Guiding,
    Hint,
    Looking,
    Ready,
    Result,
    Screen,
    Sent,
    Starting,
)
from leukoscope.sentence import Sentence
from leukoscope.specimen.sample import Source


def draw_colour(screen: Screen, size: tuple[int, int], words: Words) -> Image.Image:
    """The screen as an RGB picture; both sides must be at least 200 pixels."""
    canvas = Canvas(size, words)
    paint_colour(screen, canvas)
    return canvas.image


def paint_colour(screen: Screen, canvas: Canvas) -> None:
    """Put any screen on the canvas."""
    match screen:
        case Starting():
            _starting(screen, canvas)
        case Ready():
            _ready(screen, canvas)
        case Looking():
            _looking(screen, canvas)
        case Counting():
            paint_counting(screen, canvas)
        case Result():
            paint_result(screen, canvas)
        case Sent():
            _sent(screen, canvas)
        case Fault():
            _fault(screen, canvas)
        case Guiding():
            _guiding(screen, canvas)


def _starting(screen: Starting, canvas: Canvas) -> None:
    middle, room = canvas.width / 2, canvas.width - 2 * MARGIN
    top = (canvas.height - 240) / 2
    canvas.stamp(icon("cell", round(84 * canvas.unit)), middle, top + 74, ACCENT)
    canvas.text(middle, top + 154, "leukoscope", 34, room, TEXT, "centre")
    canvas.text(middle, top + 174, screen.version, 13, room, MUTED, "centre")
    canvas.box(MARGIN, canvas.height - 38, canvas.width - MARGIN, canvas.height - 37, EDGE)
    canvas.text(middle, canvas.height - 15, screen.step, 15, room, MUTED, "centre")


def _ready(screen: Ready, canvas: Canvas) -> None:
    header(canvas, wording.READY[screen.mode], GOOD, screen.source)
    middle, room = canvas.width / 2, canvas.width - 2 * MARGIN
    foot = canvas.height - 30
    said = [(wording.specimen(screen.sample_hint), TEXT)] if screen.sample_hint else []
    if screen.warning:
        said.append((screen.warning, CAUTION))
    spare = (canvas.height - 240) / 2
    top = HEADER + spare + (0 if screen.warning else 12)
    canvas.stamp(icon("button", round(58 * canvas.unit)), middle, top + 40, ACCENT)
    canvas.text(middle, top + 101, "Press to start", 27, room, TEXT, "centre")
    canvas.paragraphs((MARGIN, top + 108, canvas.width - MARGIN, foot - 2), said, (16, 15, 13), "centre")
    colour = {BrokerState.CONNECTED: GOOD, BrokerState.OFFLINE: CAUTION, BrokerState.NONE: MUTED}
    canvas.box(0, foot, canvas.width, canvas.height, PANEL)
    canvas.disc(MARGIN + 5, foot + 15, 5, colour[screen.broker])
    canvas.text(MARGIN + 17, foot + 20, wording.broker_line(screen), 14, room - 17, MUTED)


def _looking(screen: Looking, canvas: Canvas) -> None:
    good = screen.hint in (Hint.MOVE, Hint.WAIT)
    header(canvas, "COUNTING", ACCENT if good else CAUTION, screen.source)
    middle, room = canvas.width / 2, canvas.width - 2 * MARGIN
    top = HEADER + (canvas.height - 240) / 2
    what, why = wording.HINT[screen.hint]
    colour = ACCENT if good else CAUTION
    canvas.stamp(icon(screen.hint, round(66 * canvas.unit)), middle, top + 48, colour)
    canvas.text(middle, top + 114, what, 29, room, TEXT, "centre")
    canvas.text(middle, top + 136, why, 15, room, MUTED, "centre")
    canvas.text(middle, canvas.height - 34, wording.cells_of_goal(screen), 15, room, TEXT, "centre")
    share = wording.share_done(screen.white_so_far, screen.white_goal)
    canvas.progress(MARGIN, canvas.height - 24, canvas.width - MARGIN, canvas.height - 12, share)


def _sent(screen: Sent, canvas: Canvas) -> None:
    waits = screen.delivery is Delivery.QUEUED
    colour = CAUTION if waits else GOOD
    header(canvas, "REPORT", colour, screen.source)
    middle, room = canvas.width / 2, canvas.width - 2 * MARGIN
    top = HEADER + (canvas.height - 240) / 2
    sign, said = "waiting" if waits else "check", wording.DELIVERY[screen.delivery]
    report = Sentence("Report {report}", report=screen.report_id)
    if screen.why:
        canvas.stamp(icon(sign, round(48 * canvas.unit)), middle, top + 32, colour)
        canvas.text(middle, top + 84, said, 27, room, TEXT, "centre")
        canvas.text(middle, top + 104, report, 15, room, MUTED, "centre")
        place = MARGIN, top + 110, canvas.width - MARGIN, canvas.height - 32
        canvas.paragraphs(place, [(screen.why, CAUTION)], (16, 15, 13), "centre")
    else:
        canvas.stamp(icon(sign, round(80 * canvas.unit)), middle, top + 60, colour)
        canvas.text(middle, top + 136, said, 31, room, TEXT, "centre")
        canvas.text(middle, top + 160, report, 15, room, MUTED, "centre")
    canvas.text(middle, canvas.height - 16, wording.waiting_line(screen), 15, room, MUTED, "centre")


def _guiding(screen: Guiding, canvas: Canvas) -> None:
    header(canvas, screen.part, ACCENT, screen.source)
    right = canvas.width - MARGIN
    middle = HEADER + (canvas.height - HEADER) * 0.55
    canvas.paragraphs((MARGIN, HEADER + 4, right, middle), [(screen.todo, TEXT)], (29, 24, 19, 15, 12.5), "centre")
    foot = canvas.height - (6 if screen.share is None else 34)
    canvas.paragraphs((MARGIN, middle, right, foot), [(screen.note, MUTED)], (18, 15, 12.5), "centre")
    if screen.share is not None:
        canvas.progress(MARGIN, canvas.height - 28, right, canvas.height - 12, min(max(screen.share, 0.0), 1.0))


def _fault(screen: Fault, canvas: Canvas) -> None:
    header(canvas, "FAULT", BAD, Source.LIVE)
    right = canvas.width - MARGIN
    canvas.stamp(icon("warning", round(40 * canvas.unit)), MARGIN + 20, HEADER + 28, BAD)
    canvas.text(MARGIN + 50, HEADER + 38, screen.part, 27, right - MARGIN - 50)
    split = HEADER + 52 + (canvas.height - HEADER - 52) * 0.5
    canvas.paragraphs((MARGIN, HEADER + 54, right, split), [(screen.happened, TEXT)], (18, 16, 14, 12.5))
    canvas.box(0, split, canvas.width, canvas.height, PANEL)
    canvas.box(0, split, 4, canvas.height, CAUTION)
    canvas.paragraphs((MARGIN, split + 3, right, canvas.height - 2), [(screen.todo, CAUTION)], (18, 16, 14, 12.5))
