"""What an administrator looks after on a device: what the doctor finds, bundles, settings, and the file for support."""

import json
import logging
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from leukoscope import __version__
from leukoscope.bundles.bundle_rows import BundleRow, bundle_rows
from leukoscope.bundles.bundle_store import BundleStore
from leukoscope.errors import LeukoscopeError
from leukoscope.sentence import Sentence, from_wire
from leukoscope.system.clock import Clock
from leukoscope.web.own_commands import done, text_of

SUPPORT_FILE = "leukoscope-support.tar.gz"
_log = logging.getLogger("leukoscope.web")


class UpkeepError(LeukoscopeError, ValueError):
    """The device's own command refused, or is under way already."""


@dataclass(frozen=True, slots=True)
class Checked:
    """One part that the doctor looked at."""

    part: str
    good: bool
    text: str


@dataclass(frozen=True, slots=True)
class Task:
    """Something that takes longer than a page may."""

    running: bool = False
    since_s: float = 0.0
    at: datetime | None = None
    """When it ended; None before."""
    error: str = ""
    """Why it failed."""
    findings: tuple[Checked, ...] = ()
    """Of the doctor."""

    @property
    def elapsed_s(self) -> float:
        """Since it began."""
        return time.monotonic() - self.since_s


class Upkeep:
    """Of one bench; each of its answers comes from the device's own command line."""

    def __init__(self, bench: Path, storage: Path, named: Sequence[str], now: Clock) -> None:
        """Nothing was asked yet.

        Args:
            bench: the settings file.
            storage: the folder of results.
            named: the bundles that the settings name.
            now: the time of day.
        """
        self._bench, self._named, self._now = bench, tuple(named), now
        self._store = BundleStore(storage / "bundles")
        self._lock = threading.Lock()
        self._folder = Path(tempfile.mkdtemp(prefix="leukoscope-page-"))
        self._settings: tuple[float, list[dict[str, Any]]] | None = None
        self.check = Task()
        """What the doctor said last."""
        self.support = Task()
        """The file for support."""

    def ask_doctor(self) -> None:
        """Begin to check; raises UpkeepError where that is under way."""
        with self._lock:
            self.check = self._begun(self.check)
        self._begin(self._doctor)

    def pack_support(self) -> None:
        """Begin to pack the file for support; raises UpkeepError where that is under way."""
        with self._lock:
            self.support = self._begun(self.support)
        self._begin(self._pack)

    def support_file(self) -> bytes | None:
        """The packed file; None where there is none."""
        try:
            return (self._folder / SUPPORT_FILE).read_bytes()
        except OSError:
            return None

    def bundles(self) -> list[BundleRow]:
        """What came with the software, what is installed, and which is in force."""
        return list(bundle_rows(self._store, self._named, self._bench.parent, __version__))

    def put_in_force(self, name: str, version: str) -> str:
        """Put an installed version, or "shipped", in force from the next start; returns what the command says.

        Raises:
            UpkeepError: it is refused.
        """
        return text_of(self._said(("bundle", "use"), "--", name, version))

    def roll_back(self, name: str) -> str:
        """Put the version before in force again; returns what the command says.

        Raises:
            UpkeepError: there is none before.
        """
        return text_of(self._said(("bundle", "rollback"), "--", name))

    def settings(self) -> list[dict[str, Any]]:
        """Every setting that the file gives or leaves to the software, without secrets.

        Raises:
            UpkeepError: the file is not there or wrong.
        """
        try:
            changed = self._bench.stat().st_mtime
        except OSError as error:
            raise UpkeepError(
                Sentence("{bench} cannot be read ({why})", bench=self._bench, why=error.strerror), "check the file"
            ) from error
        if self._settings is None or self._settings[0] != changed:
            found = [json.loads(line) for line in self._said(("settings",), "--json").splitlines()]
            self._settings = changed, found
        return self._settings[1]

    def stop(self) -> None:
        """The page leaves."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _begun(self, task: Task) -> Task:
        if task.running:
            raise UpkeepError("this is under way", "wait until it has ended")
        return Task(running=True, since_s=time.monotonic())

    def _begin(self, do: Callable[[], None]) -> None:
        threading.Thread(target=do, daemon=True).start()

    def _doctor(self) -> None:
        findings: tuple[Checked, ...] = ()
        error = ""
        try:
            ended = done(self._bench, ("doctor",), "--running", "--json")
            findings = tuple(_checked(json.loads(line)) for line in ended.stdout.splitlines())
            error = "" if findings else text_of(ended.stderr) or "the doctor said nothing"
        except (OSError, ValueError, TypeError) as failed:
            error = Sentence("the doctor did not end: {why}", why=failed)
        if error:
            _log.warning("doctor: %s", error)
        self.check = replace(self.check, running=False, at=self._now(), error=error, findings=findings)

    def _pack(self) -> None:
        error = ""
        try:
            ended = done(self._bench, ("support",), "--running", "--out", str(self._folder / SUPPORT_FILE))
            error = text_of(ended.stderr) if ended.returncode else ""
        except OSError as failed:
            error = Sentence("the file was not packed: {why}", why=failed)
        if error:
            _log.warning("support: %s", error)
        self.support = replace(self.support, running=False, at=self._now(), error=error)

    def _said(self, command: Sequence[str], *arguments: str) -> str:
        try:
            ended = done(self._bench, command, *arguments)
        except OSError as error:
            raise UpkeepError(
                Sentence("leukoscope {command} did not end ({error})", command=" ".join(command), error=error),
                "try again",
            ) from error
        if ended.returncode:
            raise UpkeepError(text_of(ended.stderr), "nothing was changed")
        return ended.stdout


def _checked(line: dict[str, Any]) -> Checked:
    return Checked(line["part"], line["good"], from_wire(line.get("sentence")) or line["text"])
