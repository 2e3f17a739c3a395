"""The loop: every engine and the other detector take turns on the same fields, so that all suffer the same load."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarking.clock import Spread, Time
from benchmarking.fields import FieldSize, TimedFields
from benchmarking.peak import Int8Peak
from benchmarking.rival import Rival
from benchmarking.stages import STAGES, TimedInstrument, TimedLook
from leukoscope.specimen.frame import Frame


@dataclass(frozen=True, slots=True)
class Samples:
    """Everything that was timed."""

    looks: Mapping[tuple[str, str], list[TimedLook]] = field(default_factory=lambda: defaultdict(list))
    """By key of the field size and name of the engine."""
    rival: Mapping[str, list[Time]] = field(default_factory=lambda: defaultdict(list))
    """The other detector's network, by key of the field size."""


def take_turns(
    timed_fields: Sequence[TimedFields],
    instruments: Mapping[str, TimedInstrument],
    rounds: int,
    peak: Int8Peak,
    rival: Rival | None = None,
) -> Samples:
    """Time `rounds` looks at every field; one more round goes before, in which everything warms up."""
    samples = Samples()
    for number in range(-1, rounds):
        for fields in timed_fields:
            for frame in fields.frames:
                turns: list[Callable[[], None]] = [
                    partial(_look, samples, fields, name, instrument, frame) for name, instrument in instruments.items()
                ]
                if rival is not None:
                    turns.append(partial(_run, samples, fields.size, rival, rival.tensor(frame.pixels)))
                # The first finds the caches full of other things: it is each one's turn once.
                first = number % len(turns)
                for turn in turns[first:] + turns[:first]:
                    turn()
        peak.sample()
        if number < 0:
            samples = Samples()
    return samples


def _look(samples: Samples, fields: TimedFields, name: str, instrument: TimedInstrument, frame: Frame) -> None:
    samples.looks[fields.size.key, name].append(instrument.look(frame, fields.calibration))


def _run(samples: Samples, size: FieldSize, rival: Rival, tensor: NDArray[np.generic]) -> None:
    samples.rival[size.key].append(rival.run(tensor))


@dataclass(frozen=True, slots=True)
class Timing:
    """One engine on fields of one size."""

    size: str
    engine: str
    looks: int
    stages: Mapping[str, Spread]
    """By key of STAGES."""
    whole: Spread
    """From pixels to named cells."""
    cells_per_field: float
    cells_per_s: float
    """At the median wall time."""
    tiles_per_field: float
    int8_share: float
    """Of the int8 peak that the segmenting network reaches at its median processor time, 0-1."""


def summarise(looks: Sequence[TimedLook], size: str, engine: str, macs_per_px: float, peak: Int8Peak) -> Timing:
    """The figures of one engine and size.

    Args:
        looks: at least one.
        size: key of the field size.
        engine: its name.
        macs_per_px: multiply-accumulates of the segmenting network per pixel it is given.
        peak: what the processor reached in the same loop.
    """
    whole = Spread.of([look.whole for look in looks])
    stages = {key: Spread.of([look.stages[key] for look in looks]) for key in STAGES}
    cells = float(np.mean([look.cells for look in looks]))
    tiles = float(np.mean([look.tiles for look in looks]))
    macs = macs_per_px * float(np.mean([look.network_px for look in looks]))
    reached = macs / 1e6 / stages["network"].cpu_p50
    return Timing(
        size=size,
        engine=engine,
        looks=len(looks),
        stages=stages,
        whole=whole,
        cells_per_field=round(cells, 1),
        cells_per_s=round(1000 * cells / whole.wall_p50, 1),
        tiles_per_field=tiles,
        int8_share=round(reached / peak.gmacs_per_s, 4),
    )
