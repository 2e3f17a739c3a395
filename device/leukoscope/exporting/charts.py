"""The two charts of a report: shares with their intervals, and the diameters of the red cells."""

from leukoscope.exporting.drawing import (
    CORRECTED,
    COUNTED,
    COUNTED_END,
    HAIR,
    MUTED,
    Bar,
    Disc,
    Drawing,
    Line,
    Mark,
    Side,
    Words,
)
from leukoscope.exporting.quantities import Quantity
from leukoscope.exporting.report_words import in_words
from leukoscope.specimen.sample import Histogram

ROW_HEIGHT = 15.0
NORMAL_DIAMETER_UM = (6.0, 8.0)
"""Between these lies a normal red cell on a smear; its mean is about 7.2."""
_LABEL_HEIGHT = 11.0


def axis_end(shares: list[Quantity]) -> float:
    """Where the axis of the shares ends: 25, 50 or 100 %."""
    highest = max((one.high or 0.0 for one in shares if one.value is not None), default=0.0)
    return next((end for end in (25.0, 50.0) if highest <= end), 100.0)


def axis(end: float, width: float) -> Drawing:
    """The scale above the bars, in percent."""
    marks: list[Mark] = []
    for tick in range(5):
        share = tick / 4
        side: Side = "left" if tick == 0 else "right" if tick == 4 else "centre"
        label = f"{end * share:g}" + (" %" if tick == 4 else "")
        marks.append(Words(width * share, _LABEL_HEIGHT - 3, label, 6.5, side=side))
    return Drawing(width, _LABEL_HEIGHT, tuple(marks), f"Axis from 0 to {end:g} %")


def shares_row(counted: Quantity, corrected: Quantity | None, end: float, width: float) -> Drawing:
    """One class: a bar with its whisker as counted, below it a dot with its whisker as corrected."""
    marks: list[Mark] = [Line(width * tick / 4, 0, width * tick / 4, ROW_HEIGHT, HAIR, 0.5) for tick in range(5)]
    description = f"as counted {in_words(counted)}"
    upper, lower = ROW_HEIGHT * 0.36, ROW_HEIGHT * 0.78
    if counted.value is not None:
        reach = width / end
        marks.append(Bar(0, upper - 3, counted.value * reach, 6, COUNTED))
        marks += _whisker(counted, upper, reach, COUNTED_END, 0.9)
        if corrected is not None and corrected.value is not None:
            marks += _whisker(corrected, lower, reach, CORRECTED, 0.9)
            marks.append(Disc(corrected.value * reach, lower, 1.9, CORRECTED))
            description += f", corrected {in_words(corrected)}"
    return Drawing(width, ROW_HEIGHT, tuple(marks), description)


def _whisker(one: Quantity, y: float, reach: float, colour: str, thick: float) -> list[Mark]:
    if one.low is None or one.high is None:
        return []
    low, high = one.low * reach, one.high * reach
    ends = [Line(x, y - 1.8, x, y + 1.8, colour, thick) for x in (low, high)]
    return [Line(low, y, high, y, colour, thick), *ends]


def key_to_shares(*, corrected: bool) -> Drawing:
    """What bar and whisker mean, and the dot of corrected shares where there are any."""
    y = 5.0
    marks: tuple[Mark, ...] = (
        Bar(0, y - 3, 14, 6, COUNTED),
        Line(9, y, 19, y, COUNTED_END, 0.9),
        Words(23, y + 2.3, "as counted, 95 % interval of the counts", 6.5),
    )
    if not corrected:
        return Drawing(150, 10, marks, "Bars: as counted. Lines: 95 % intervals.")
    marks += (
        Line(152, y, 170, y, CORRECTED, 0.9),
        Disc(161, y, 1.9, CORRECTED),
        Words(174, y + 2.3, "corrected for naming errors, 95 % interval of both", 6.5),
    )
    return Drawing(330, 10, marks, "Bars: as counted. Dots: corrected for naming errors. Lines: 95 % intervals.")


def diameters(histogram: Histogram, mean_um: float | None, width: float, height: float) -> Drawing:
    """The histogram of the red cells, with the normal range shaded and the mean marked."""
    counts, floor, top = histogram.counts, height - 12, 10.0
    step, most = width / len(counts), max(histogram.counts)
    end = histogram.start + len(counts) * histogram.step

    def across(size_um: float) -> float:
        return (min(max(size_um, histogram.start), end) - histogram.start) / histogram.step * step

    low, high = (across(size) for size in NORMAL_DIAMETER_UM)
    marks: list[Mark] = [Bar(low, top, high - low, floor - top, "#f1f4f7")]
    for number, count in enumerate(counts):
        tall = (floor - top) * count / most if most else 0
        if tall:
            marks.append(Bar(number * step + 0.3, floor - tall, step - 0.6, tall, COUNTED))
    marks.append(Line(0, floor, width, floor, MUTED, 0.6))
    first, last = -int(-histogram.start // 1), int(end)
    for size in range(first, last + 1, max(1, round((last - first) / 9))):
        marks.append(Words(across(size), height - 3, f"{size}", 6.5, side="centre"))
    shaded = f"shaded: {NORMAL_DIAMETER_UM[0]:g} to {NORMAL_DIAMETER_UM[1]:g} µm"
    marks.append(Words(width, top + 4, shaded, 6.5, side="right"))
    if mean_um is not None:
        x = across(mean_um)
        marks.append(Line(x, top - 2, x, floor, COUNTED_END, 0.9))
        marks.append(Words(x, top - 4, f"mean {mean_um:.1f}", 6.5, COUNTED_END, "centre"))
    description = f"Diameters of {histogram.total} red cells from {histogram.start:g} to {end:g} µm"
    return Drawing(width, height, tuple(marks), description)
