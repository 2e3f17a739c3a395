"""The two colour screens of a sample: while it is counted, and when it is done."""

from leukoscope.displays import wording
from leukoscope.displays.canvas import LEADING, Canvas
from leukoscope.displays.header import HEADER, MARGIN, header
from leukoscope.displays.palette import ACCENT, CAUTION, GOOD, MUTED, TEXT
from leukoscope.displays.state import Counting, Result
from leukoscope.displays.whiskers import differential
from leukoscope.sentence import Sentence


def paint_counting(screen: Counting, canvas: Canvas) -> None:
    """A large number, a bar, the differential so far and what the sample has cost."""
    header(
        canvas,
        wording.counting_title(screen),
        CAUTION if screen.paused else ACCENT,
        screen.source,
    )
    if canvas.width >= 1.2 * canvas.height:
        _counting_across(screen, canvas)
    else:
        _counting_upright(screen, canvas)


def _counting_across(screen: Counting, canvas: Canvas) -> None:
    right, bottom, column = canvas.width - MARGIN, canvas.height, 116.0
    room = column - MARGIN
    canvas.text(MARGIN, HEADER + 58, str(screen.white_so_far), 58, room)
    canvas.text(MARGIN, HEADER + 76, wording.goal(screen), 13, room, MUTED)
    figures = [
        ("Time", wording.clock(screen.elapsed_s)),
        ("Fields", wording.grouped(screen.fields_counted)),
        ("Area", wording.area(screen.area_mm2)),
        ("Refused", wording.grouped(screen.fields_rejected)),
        ("RBC", wording.grouped(screen.red_cells)),
        ("PLT", wording.grouped(screen.platelets)),
    ]
    for index, (name, value) in enumerate(figures):
        baseline = HEADER + 96 + index * 13.6
        taken = canvas.text(column, baseline, value, 13, room - 20, TEXT, "right")
        canvas.text(MARGIN, baseline, name, 13, room - taken - 6, MUTED)
    left, foot = column + 16, bottom - 44
    if screen.differential:
        differential(canvas, (left, HEADER + 8, right, foot), screen.differential)
    else:
        _no_white_cells(screen, canvas, left, right)
    _last_line(screen, canvas, bottom - 31)
    share = wording.share_done(screen.white_so_far, screen.white_goal)
    canvas.progress(MARGIN, bottom - 22, right, bottom - 10, share)


def _counting_upright(screen: Counting, canvas: Canvas) -> None:
    right, bottom = canvas.width - MARGIN, canvas.height
    room = right - MARGIN
    taken = canvas.text(MARGIN, HEADER + 49, str(screen.white_so_far), 52, room * 0.6)
    beside = MARGIN + taken + 9
    canvas.text(beside, HEADER + 30, Sentence("of {goal}", goal=screen.white_goal), 18, right - beside)
    canvas.text(beside, HEADER + 48, wording.CELLS[screen.mode], 14, right - beside, MUTED)
    share = wording.share_done(screen.white_so_far, screen.white_goal)
    canvas.progress(MARGIN, HEADER + 58, right, HEADER + 68, share)
    foot = bottom - 50
    if screen.differential:
        differential(canvas, (MARGIN, HEADER + 73, right, foot), screen.differential)
    else:
        _no_white_cells(screen, canvas, MARGIN, right, HEADER + 95)
    _last_line(screen, canvas, bottom - 37)
    blood = Sentence(
        "RBC {red} · PLT {platelets}",
        red=wording.grouped(screen.red_cells),
        platelets=wording.grouped(screen.platelets),
    )
    blood = blood.and_also(" · {area} mm2", area=f"{screen.area_mm2:.2f}")
    taken = canvas.text(right, bottom - 21, wording.clock(screen.elapsed_s), 13, room, TEXT, "right")
    canvas.text(MARGIN, bottom - 21, wording.fields_line(screen), 13, room - taken - 8, MUTED)
    canvas.text(MARGIN, bottom - 6, blood, 13, room, MUTED)


def _no_white_cells(screen: Counting, canvas: Canvas, left: float, right: float, baseline: float = HEADER + 40) -> None:
    canvas.text(left, baseline, f"No {wording.CELLS[screen.mode]} yet", 14, right - left, MUTED)


def _last_line(screen: Counting, canvas: Canvas, baseline: float) -> None:
    """How to go on; why the last field was refused, that the slide was lost, or what the wanted precision costs."""
    if screen.paused:
        canvas.text(MARGIN, baseline, wording.go_on_line(screen), 13, canvas.width - 2 * MARGIN, TEXT)
        return
    if screen.last_flaw is None and not screen.lost:
        said = wording.unnamed_line(screen) or wording.precision_line(screen)
        colour = CAUTION if screen.suspects else MUTED
        canvas.text(MARGIN, baseline, said, 13, canvas.width - 2 * MARGIN, colour)
        return
    canvas.disc(MARGIN + 4, baseline - 4.5, 4, CAUTION)
    flaw = screen.last_flaw
    said = (
        "Slide was lost: cells may repeat"
        if flaw is None
        else Sentence("Last field refused: {flaw}", flaw=wording.FLAW[flaw])
    )
    canvas.text(MARGIN + 13, baseline, said, 13, canvas.width - 2 * MARGIN - 13, CAUTION)


def paint_result(screen: Result, canvas: Canvas) -> None:
    """The sample's name, its differential, and the remarks of interest to its reader."""
    header(canvas, wording.result_title(screen), GOOD, screen.source)
    across = canvas.width >= 1.2 * canvas.height
    right = canvas.width - MARGIN
    room = right - MARGIN
    canvas.text(MARGIN, HEADER + 19, wording.specimen(screen.sample_id), 17, room)
    diameter = screen.red_cell_diameter_um
    cells = Sentence(f"{{count}} {wording.CELLS[screen.mode]}", count=screen.white_cells)
    if diameter is not None:
        cells = cells.and_also(" · red cells {size}", size=f"{diameter:.1f} um")
    canvas.text(MARGIN, HEADER + 36, cells, 13, room, MUTED)
    remarks = [(text, ACCENT) for text in screen.findings] + [(text, CAUTION) for text in screen.warnings]
    if not screen.differential:
        canvas.bullets((MARGIN, HEADER + 43, right, canvas.height - 3), remarks, 13)
        return
    top, lines_kept = HEADER + 43, min(3, 2 * len(remarks)) if remarks else 1
    foot = canvas.height - 6 - lines_kept * 13 * LEADING
    box = (MARGIN, top, right, foot)
    below = differential(canvas, box, screen.differential, columns=2 if across else 1, pitch=16.5)
    if remarks:
        canvas.bullets((MARGIN, below + 3, right, canvas.height - 3), remarks, 13)
    else:
        canvas.text(MARGIN, below + 20, "No remarks", 13, room, MUTED)
