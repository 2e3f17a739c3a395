"""How fast the loop of looking, counting and showing is, on a simulated slide that is moved by hand."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from rich.table import Table

from benchmarking.clock import Spread, Time
from benchmarking.fields import WHITE_PER_1000_RBC, FieldSize
from leukoscope.counting.tally import CountingRules, Tally
from leukoscope.displays.screens import draw
from leukoscope.displays.state import Counting, differential_lines
from leukoscope.errors import LeukoscopeError
from leukoscope.instrument import Instrument, Look, Sample
from leukoscope.optics.calibration import Calibration
from leukoscope.optics.flatfield import FlatField, gain_from_blank
from leukoscope.optics.quality import QualityGate, QualityLimits
from leukoscope.optics.tracking import NewFieldRule
from leukoscope.service.models import LoadedModels, naming_of
from leukoscope.simulation.microscope import MicroscopeSettings, SimulatedMicroscope
from leukoscope.simulation.smear import Smear, SmearSettings
from leukoscope.simulation.stage import Stage
from leukoscope.specimen.cell import CellKind
from leukoscope.specimen.frame import Frame
from leukoscope.specimen.sample import Source
from leukoscope.statistics.rules.rules_settings import RulesSettings

FRAMES_PER_S = 15.0
"""Of the camera; a frame that comes while a field is counted is dropped."""
STEP, FRAMES_PER_STEP = 0.9, 4
"""Each field lies this far from the one before, in widths, and is reached in so many frames."""
COLUMNS = 6
SCREEN = (320, 240)
LIMITS = {"looking": FRAMES_PER_S, "counting": 8.0, "latency": 250.0}
"""Frames per second, new fields per second, and milliseconds that 95 % of the latencies shall not exceed."""


@dataclass(frozen=True, slots=True)
class LoopTimes:
    """One size of picture."""

    size: FieldSize
    looking: Spread
    """A frame that is followed but not counted."""
    counting: Spread
    """A frame that is counted, and the screen drawn anew."""
    latency_p50_ms: float
    latency_p95_ms: float
    """From the stage's stop to the new count on the screen, on a processor with nothing else to do."""
    fields: int


def measure_loop(models: LoadedModels, size: FieldSize, *, fields: int, seed: int) -> LoopTimes:
    """Move a slide from field to field and time what the loop does with each frame.

    Args:
        models: what finds and names.
        size: of the pictures.
        fields: to count.
        seed: of slide, microscope and of when the stage stops between two frames.

    Raises:
        LeukoscopeError: a field at rest was not counted.
    """
    scope = MicroscopeSettings(seed=seed, width=size.width, height=size.height, um_per_px=size.um_per_px)
    stage = Stage(lambda: 0.0)
    microscope = SimulatedMicroscope(
        Smear(SmearSettings(seed=seed, white_per_1000_rbc=WHITE_PER_1000_RBC)), stage, scope
    )
    gain = gain_from_blank([microscope.render_blank() for _ in range(3)])
    calibration = Calibration("loop", False, size.um_per_px, (size.height, size.width), FlatField(gain))
    instrument = Instrument(calibration, QualityGate(QualityLimits()), models.segmenter, models.classifier)
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    tally = Tally(naming_of(models.classifier_bundle), CountingRules(white_cells=10_000), RulesSettings().open())
    sample = Sample(instrument, tally, NewFieldRule(), report_id="loop", sample_id="loop", now=lambda: begin)
    looking: list[Time] = []
    counting: list[Time] = []
    for number, (x, y, resting) in enumerate(_places(fields, size), 1):
        stage.move_to(x, y)
        frame = Frame(microscope.look()[0], number, begin, "simulated")
        start = Time.now()
        outcome = sample.take(frame)
        if isinstance(outcome, Look):
            _show(tally)
            counting.append(Time.now() - start)
        else:
            looking.append(Time.now() - start)
        if resting and not isinstance(outcome, Look):
            raise LeukoscopeError(
                f"expected frame {number}, at rest, to be counted, found {outcome}", "is it in focus?"
            )
    # The first field loads what later ones find loaded.
    counting = counting[1:]
    latencies = _latencies(looking, counting, np.random.default_rng(seed))
    p50, p95 = np.percentile(latencies, (50, 95)).round(1).tolist()
    return LoopTimes(size, Spread.of(looking), Spread.of(counting), p50, p95, len(counting))


def _places(fields: int, size: FieldSize) -> Iterator[tuple[float, float, bool]]:
    """(x, y) in µm and whether this frame is to be counted: each field is shown at rest twice."""
    width, height = size.width * size.um_per_px, size.height * size.um_per_px
    x, y = 0.0, 0.0
    for number in range(fields):
        yield x, y, False
        yield x, y, True
        row, col = divmod(number + 1, COLUMNS)
        to_x, to_y = (COLUMNS - 1 - col if row % 2 else col) * STEP * width, row * STEP * height
        for part in range(1, FRAMES_PER_STEP):
            share = part / FRAMES_PER_STEP
            yield x + (to_x - x) * share, y + (to_y - y) * share, False
        x, y = to_x, to_y


def _show(tally: Tally) -> None:
    lines = differential_lines(tally.differential(), {})
    red, platelets = tally.kind_count(CellKind.RBC), tally.kind_count(CellKind.PLATELET)
    fields, area = tally.fields_counted, tally.area_um2 / 1e6
    screen = Counting(
        tally.white_cells, tally.goal, fields, 0, None, lines, red, platelets, area, None, 0.0, False, Source.SIMULATED
    )
    draw(screen, SCREEN, False)


def _latencies(looking: list[Time], counting: list[Time], rng: np.random.Generator) -> list[float]:
    """The stage stops between two frames; the second frame after that shows that it rests, and is counted."""
    period = 1000 / FRAMES_PER_S
    busy = float(np.median([one.cpu for one in looking]))
    return [float(rng.uniform(0, period)) + max(period, busy) + one.cpu for one in counting for _ in range(50)]


def loop_table(measured: list[LoopTimes]) -> Table:
    """What was promised beside what was found; processor time, wall time in brackets."""
    table = Table("picture", "", "promised", "found", "", title="The loop")
    for one in measured:
        size = f"{one.size.width}x{one.size.height}"
        looks, counts = one.looking, one.counting
        for what, promised, found, met in (
            (
                "looking",
                f">= {LIMITS['looking']:g} frames/s",
                f"{1000 / looks.cpu_p50:.0f} ({1000 / looks.wall_p50:.0f})",
                1000 / looks.cpu_p50 >= LIMITS["looking"],
            ),
            (
                "counting",
                f">= {LIMITS['counting']:g} new fields/s",
                f"{1000 / counts.cpu_p50:.1f} ({1000 / counts.wall_p50:.1f})",
                1000 / counts.cpu_p50 >= LIMITS["counting"],
            ),
            (
                "stop to count, p95",
                f"<= {LIMITS['latency']:g} ms",
                f"{one.latency_p95_ms:.0f} ms (median {one.latency_p50_ms:.0f})",
                one.latency_p95_ms <= LIMITS["latency"],
            ),
        ):
            table.add_row(size, what, promised, found, "met" if met else "MISSED")
    return table
