"""The folder of a run: gone after one that held, kept with every log after one that did not."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self


class RunFolder:
    """Settings, data and logs of everything that a run starts."""

    def __init__(self, report: Callable[[str], None], *, keep: bool = False) -> None:
        """Make it in the system's folder for temporary files.

        Args:
            report: gets a line that says where a kept folder is.
            keep: also after a run that held.
        """
        self._report = report
        self.keep = keep
        """Set it when the run did not hold."""
        self.path = Path(tempfile.mkdtemp(prefix="leukoscope-fleet-"))
        # PostgreSQL runs as another user and has to pass through.
        self.path.chmod(0o711)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not (self.keep or error):
            shutil.rmtree(self.path, ignore_errors=True)
            return
        self._report(f"the logs of this run are in {self.path}")
        for log in sorted(self.logs()):
            self._report(f"  {log.relative_to(self.path)}")

    def logs(self) -> list[Path]:
        """The files that programs wrote their lines to, with something in them."""
        found = [*self.path.rglob("*.log"), *self.path.rglob("log"), *self.path.rglob("out")]
        return [path for path in found if path.is_file() and path.stat().st_size]
