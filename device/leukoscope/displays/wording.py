"""The words on the display, shared by every layout, and the arithmetic of what to leave out."""

from collections.abc import Sequence

from leukoscope.displays.state import (
    BrokerState,
    Counting,
    Delivery,
    DifferentialLine,
    Hint,
    Looking,
    Ready,
    Result,
    Sent,
)
from leukoscope.sentence import Sentence, Verbatim
from leukoscope.specimen.field import Flaw
from leukoscope.specimen.sample import Mode, Source

BADGE = {Source.LIVE: "", Source.REPLAYED: "REPLAY", Source.SIMULATED: "SIMULATED"}
"""Shown wherever a result could be mistaken for a patient's."""

HINT = {
    Hint.MOVE: ("Move the slide", "to the next field"),
    Hint.WAIT: ("Hold still", "this field is being counted"),
    Hint.FOCUS: ("Focus", "the picture is blurred"),
    Hint.SLOWER: ("Slower", "the slide was lost from view"),
    Hint.TOO_CROWDED: ("Too crowded", "go where cells lie side by side"),
    Hint.NO_CELLS: ("No cells here", "move back onto the smear"),
    Hint.TOO_BRIGHT: ("Too bright", "turn the lamp down"),
    Hint.TOO_DARK: ("Too dark", "turn the lamp up"),
    Hint.NO_SMEAR: ("No stain", "check slide and camera colours"),
    Hint.NO_BLOOD: ("No blood", "these are hardly cells"),
    Hint.CROP: ("Black edge", "the camera sees past the field"),
}
"""What to do, and a line to go with it."""

FLAW = {
    Flaw.OUT_OF_FOCUS: "out of focus",
    Flaw.OVEREXPOSED: "too bright",
    Flaw.UNDEREXPOSED: "too dark",
    Flaw.EMPTY: "no cells",
    Flaw.CROWDED: "too crowded",
    Flaw.FOREIGN_COLOURS: "no stain",
    Flaw.NO_BLOOD: "no blood",
    Flaw.BLACK_SURROUND: "black edge",
}


CELLS: dict[Mode, str] = {"blood": "white cells", "marrow": "marrow cells"}
"""What the differential counts: of marrow the nucleated red cells too."""
CELLS_IN_A_WORD: dict[Mode, str] = {"blood": "white", "marrow": "marrow"}
READY: dict[Mode, str] = {"blood": "READY", "marrow": "READY: MARROW"}


def specimen(name: str) -> str:
    """A specimen's name, which is the same in every language."""
    return Verbatim(name)


def clock(seconds: float) -> str:
    """Minutes and seconds, with hours once there are some: "2:31", "1:02:31"."""
    whole = max(0, int(seconds))
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def grouped(count: int) -> str:
    """A count with a blank between thousands: "23 456"."""
    return f"{count:,}".replace(",", " ")


def percent(value: float) -> str:
    """A percentage as it is read aloud: whole, but never "0" for something that was seen."""
    return "<1" if 0 < value < 0.5 else f"{value:.0f}"


def interval(line: DifferentialLine) -> str:
    """The 95 % interval in whole percent: "52-71"."""
    return f"{line.low:.0f}-{line.high:.0f}"


def share_done(white_so_far: int, white_goal: int) -> float:
    """Progress towards the goal, 0-1."""
    return min(1.0, white_so_far / max(1, white_goal))


def fields_and_area(screen: Counting) -> str:
    """How many fields were counted, and how much slide they show."""
    if screen.fields_counted == 1:
        return Sentence("1 field, {area} mm2", area=f"{screen.area_mm2:.2f}")
    return Sentence("{fields} fields, {area} mm2", fields=grouped(screen.fields_counted), area=f"{screen.area_mm2:.2f}")


def counting_title(screen: Counting) -> str:
    """What the sample is doing, or waits for."""
    if not screen.paused:
        return "COUNTING"
    return "RESUMED, PRESS" if screen.resumed else "PAUSED"


def go_on_line(screen: Counting) -> str:
    """What the hand does about a sample that is paused; empty while it counts."""
    return "Press to go on, hold to finish" if screen.paused else ""


def fields_line(screen: Counting) -> str:
    """How many fields were counted and refused."""
    refused = grouped(screen.fields_rejected)
    if screen.fields_counted == 1:
        return Sentence("1 field, {refused} refused", refused=refused)
    return Sentence("{fields} fields, {refused} refused", fields=grouped(screen.fields_counted), refused=refused)


def cells_of_goal(screen: Counting | Looking) -> str:
    """How many cells there are of those asked for."""
    words = f"{{count}} of {{goal}} {CELLS[screen.mode]}"
    return Sentence(words, count=screen.white_so_far, goal=screen.white_goal)


def goal(screen: Counting) -> str:
    """How many cells are asked for."""
    return Sentence(f"of {{goal}} {CELLS[screen.mode]}", goal=screen.white_goal)


def area(square_mm: float) -> str:
    """How much slide: "0.57 mm2"."""
    return f"{square_mm:.2f} mm2"


def precision_line(screen: Counting) -> str:
    """What the wanted precision costs; empty when it is reached or nothing is known yet."""
    wanted = screen.precision
    if wanted is None or not wanted.more_cells:
        return ""
    return Sentence(
        "{cells} ±{percent} %: {more} more cells",
        cells=wanted.label,
        percent=f"{wanted.percent:g}",
        more=grouped(wanted.more_cells),
    )


def unnamed_line(screen: Counting) -> str:
    """How many cells could not be named, and how many may be blasts; empty for none of either."""
    if screen.suspects:
        return Sentence(
            "{unsure} unsure, {suspects} suspects", unsure=grouped(screen.unsure), suspects=grouped(screen.suspects)
        )
    return Sentence("{unsure} unsure", unsure=grouped(screen.unsure)) if screen.unsure else ""


def result_title(screen: Result) -> str:
    """What the screen is, and which page of it."""
    return "RESULT" if screen.pages == 1 else Sentence("RESULT {page}/{pages}", page=screen.page, pages=screen.pages)


def broker_line(ready: Ready) -> str:
    """Whether results can leave the bench."""
    match ready.broker:
        case BrokerState.NONE:
            return "Results stay on this device"
        case BrokerState.CONNECTED if ready.pending == 0:
            return "Broker connected"
        case BrokerState.CONNECTED:
            return Sentence("Broker connected, {pending} to send", pending=ready.pending)
        case BrokerState.OFFLINE if ready.pending == 0:
            return "Broker offline, results are kept"
        case _:
            return Sentence("Broker offline, {pending} kept", pending=ready.pending)


DELIVERY = {Delivery.SENT: "Sent", Delivery.QUEUED: "Queued", Delivery.KEPT: "Kept"}


def waiting_line(sent: Sent) -> str:
    """How many reports still wait, where there is anything to wait for."""
    if sent.delivery is Delivery.KEPT:
        return "On this device"
    if sent.pending:
        return "1 report waiting" if sent.pending == 1 else Sentence("{reports} reports waiting", reports=sent.pending)
    return "Nothing waiting" if sent.delivery is Delivery.SENT else "Will be sent later"


def largest_in_order(lines: Sequence[DifferentialLine], room: int) -> tuple[DifferentialLine, ...]:
    """The `room` largest classes in the order given, so that rows do not jump as counts change."""
    if len(lines) <= room:
        return tuple(lines)
    ranked = sorted(range(len(lines)), key=lambda index: (-lines[index].percent, index))
    kept = set(ranked[: max(0, room)])
    return tuple(line for index, line in enumerate(lines) if index in kept)


def axis_end(lines: Sequence[DifferentialLine]) -> float:
    """Where the axis of the differential ends: 25, 50 or 100 %, so that it seldom changes."""
    highest = max((line.high for line in lines), default=0.0)
    return next((end for end in (25.0, 50.0) if highest <= end), 100.0)
