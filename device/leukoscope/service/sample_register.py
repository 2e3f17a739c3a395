"""Which samples were begun on this bench, and what became of each: a file that only grows."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leukoscope.errors import OutboxError
from leukoscope.system.durable_files import append_line


class SampleRegister:
    """One JSON object per line, on the disk when it is noted; damaged lines are passed over."""

    def __init__(self, path: Path) -> None:
        """Read what was noted.

        Raises:
            OutboxError: the file is there and cannot be read.
        """
        self.path = path
        self._used: Counter[str] = Counter()
        self.begun = 0
        """Samples begun so far."""
        try:
            content = path.read_bytes() if path.exists() else b""
        except OSError as error:
            raise OutboxError(f"{path} cannot be read ({error.strerror})", "check its owner") from error
        for line in content.splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            if isinstance(entry, dict):
                self._take_in(entry)

    def knows(self, sample_id: str) -> bool:
        """Whether a sample of this name was begun and not discarded."""
        return self._used[sample_id] > 0

    def note(self, event: str, sample_id: str, facts: Mapping[str, Any]) -> None:
        """Write down what happened to a sample.

        Args:
            event: "begun", "resumed", "reported" or "discarded".
            sample_id: what it is called.
            facts: JSON-ready; whatever else is worth knowing.

        Raises:
            OutboxError: it cannot be written; it is known until the program ends all the same.
        """
        entry = {"event": event, "sample_id": sample_id} | dict(facts)
        self._take_in(entry)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            append_line(self.path, json.dumps(entry, allow_nan=False).encode())
        except OSError as error:
            raise OutboxError(f"{self.path} cannot be written ({error.strerror})", "make room") from error

    def _take_in(self, entry: Mapping[str, Any]) -> None:
        event, sample_id = entry.get("event"), str(entry.get("sample_id", ""))
        if event == "begun":
            self.begun += 1
            self._used[sample_id] += 1
        elif event == "discarded":
            self._used[sample_id] -= 1
