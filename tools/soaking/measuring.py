"""What this process has and has done (Linux): memory, open files, threads, log lines, what it wrote."""

import gc
import logging
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Gauge:
    """What the process has and has done until a moment."""

    resident_mb: float
    descriptors: int
    threads: int
    log_lines: int
    written_kb: float
    """By the process, everything (proc(5), wchar): the state folder, and what goes to the broker."""


def gauge(log_lines: int) -> Gauge:
    """What this process has now (Linux)."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    counts = dict(line.split(": ") for line in Path("/proc/self/io").read_text("ascii").splitlines())
    return Gauge(
        resident_mb=pages * os.sysconf("SC_PAGE_SIZE") / 1e6,
        descriptors=len(list(Path("/proc/self/fd").iterdir())),
        threads=len(list(Path("/proc/self/task").iterdir())),
        log_lines=log_lines,
        written_kb=int(counts["wchar"]) / 1000,
    )


class Lines(logging.Handler):
    """Counts what would be in the journal."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.number = 0

    def emit(self, record: logging.LogRecord) -> None:
        """One more."""
        self.number += 1


class Sizes:
    """How the files of a folder grow, by kind."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[Path, int] = {}
        self.grown: Counter[str] = Counter()
        """Bytes by kind of file."""

    def look(self) -> None:
        """Add what was added since the last look."""
        found = {path: path.stat().st_size for path in self._folder.rglob("*") if path.is_file()}
        for path, size in found.items():
            more = size - self._known.get(path, 0)
            if more > 0:
                place = path.relative_to(self._folder)
                self.grown[f"{place.parts[0]}/" if len(place.parts) > 1 else place.name] += more
        self._known = found
