"""Processor time, which other work on the machine does not lengthen; everything here runs on one thread."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True)
class Stopwatch:
    """Adds up processor seconds of what is run under `running`."""

    seconds: float = 0.0
    times: int = 0

    @contextmanager
    def running(self, times: int = 1) -> Iterator[None]:
        """Count what happens inside as so many fields or cells."""
        start = time.process_time()
        try:
            yield
        finally:
            self.seconds += time.process_time() - start
            self.times += times

    @property
    def each_ms(self) -> float:
        """Milliseconds per field or cell."""
        return 1000 * self.seconds / max(1, self.times)

    @property
    def minutes(self) -> float:
        """All of it, minutes."""
        return self.seconds / 60
