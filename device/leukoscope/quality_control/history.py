"""Where runs are written down: one JSON line each, which a pulled plug can cut short but not corrupt."""

import json
from collections import Counter
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from leukoscope.errors import TrendError
from leukoscope.quality_control.run_record import MEASURES, Kind, Run
from leukoscope.quality_control.westgard import BASELINE_RUNS
from leukoscope.system.durable_files import FileLock, append_line, write_whole

MOST_BYTES = 4 * 2**20
"""Above this the file is halved; about six thousand runs."""


_LIMITED = tuple(name for name, measure in MEASURES.items() if measure.least_s is not None)
"""Measures whose limits are made from the first runs."""


class History:
    """The runs of one bench."""

    def __init__(self, storage: Path, *, most_bytes: int = MOST_BYTES) -> None:
        self.path = storage / "trend.jsonl"
        self._most_bytes = most_bytes

    def add(self, run: Run) -> None:
        """Write a run down; it is on the disk when this returns.

        Raises:
            TrendError: the file cannot be written.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            # One writer at a time: the device, and a check that runs beside it.
            with FileLock(self.path.with_suffix(".lock"), wait=True):
                if append_line(self.path, _line(run)) > self._most_bytes:
                    write_whole(self.path, b"".join(_line(kept) + b"\n" for kept in _worth_keeping(self.runs())))
        except OSError as error:
            raise TrendError(f"the trend cannot be written to {self.path} ({error.strerror})", "make room") from error

    def runs(self) -> tuple[Run, ...]:
        """Every run that can be read, oldest first; a broken line is passed over.

        Raises:
            TrendError: the file is there and cannot be read.
        """
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise TrendError(f"the trend {self.path} cannot be read ({error.strerror})", "check its owner") from error
        return tuple(run for line in lines if (run := _read(line)) is not None)

    def stamp(self) -> tuple[int, int]:
        """Something that changes whenever a run is added."""
        try:
            state = self.path.stat()
        except OSError:
            return 0, 0
        return state.st_mtime_ns, state.st_size


def _line(run: Run) -> bytes:
    return json.dumps({**asdict(run), "at": run.at.isoformat()}, ensure_ascii=False, allow_nan=False).encode()


def _worth_keeping(runs: tuple[Run, ...]) -> list[Run]:
    """The newer half, and of the older one what baselines are made from."""
    half = len(runs) // 2
    restart = max((n for n, run in enumerate(runs) if run.kind is Kind.RESTART), default=-1)
    measured: Counter[tuple[str, str]] = Counter()
    kept = []
    for number, run in enumerate(runs):
        # Each measure has a baseline of its own: a run that could not measure it is none of its first ones.
        baseline = number == restart
        for name in _LIMITED if number > restart else ():
            if run.value(name) is not None:
                measured[run.reference, name] += 1
                baseline = baseline or measured[run.reference, name] <= BASELINE_RUNS
        if number >= half or baseline:
            kept.append(run)
    return kept


def _read(line: bytes) -> Run | None:
    try:
        values = json.loads(line)
        return Run(**{**values, "at": datetime.fromisoformat(values["at"]), "kind": Kind(values["kind"])})
    except (ValueError, TypeError, KeyError):
        return None
