"""The last screens in words, for remote support; names of specimens are left out."""

import json
import os
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from leukoscope.displays.state import Screen
from leukoscope.system.durable_files import write_whole

KEPT = 30
"""Screens kept; older ones are forgotten."""
FILE = "screens.jsonl"
_NAMES_A_SPECIMEN = {"sample_id", "sample_hint"}


class KeptScreens:
    """A small file in a folder that does not outlive the boot; without a folder nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / FILE
        self._lines: deque[str] = deque(maxlen=KEPT)

    @classmethod
    def of_this_service(cls, environ: Mapping[str, str] = os.environ) -> "KeptScreens":
        """In systemd's RuntimeDirectory, where this is a service that has one."""
        folder = environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
        return cls(Path(folder) if folder else None)

    def keep(self, screen: Screen) -> None:
        """Add a screen; a folder that cannot be written is no reason to stop."""
        if self._path is None:
            return
        self._lines.append(json.dumps({"screen": type(screen).__name__, **_described(screen)}, ensure_ascii=False))
        try:
            write_whole(self._path, ("\n".join(self._lines) + "\n").encode())
        except OSError:
            self._path = None


def _described(screen: Screen) -> dict[str, Any]:
    return {name: value for name, value in asdict(screen).items() if name not in _NAMES_A_SPECIMEN}
