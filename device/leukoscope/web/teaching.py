"""Teaches the bench: a classifier fitted to the cells that people named here, by the commands of the device.

Each command is a process of its own, with a low priority: what it needs in memory is given back, and no count waits.
"""

import json
import logging
import shutil
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leukoscope.bundles.bundle_store import BundleStore
from leukoscope.bundles.contents import is_bundle_name
from leukoscope.errors import AdaptingError
from leukoscope.outbox.cell_pictures import named_counts
from leukoscope.outbox.store import Outbox
from leukoscope.sentence import Sentence
from leukoscope.web.kept_texts import kept, read
from leukoscope.web.own_commands import done, environment, text_of, words_of

_MOST_CHARS = 4000
"""Of what a fit says of itself."""
_log = logging.getLogger("leukoscope.web")


@dataclass(frozen=True, slots=True)
class Named:
    """Cells of one class that people named, with a picture to learn from."""

    source: str
    """"live", "simulated" or "replayed"."""
    name: str
    cells: int
    specimens: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a fit has come."""

    running: bool = False
    done: int = 0
    of: int = 0
    since_s: float = 0.0
    """`time.monotonic` at its start."""
    summary: str = ""
    """What came of the last one: right before and after, on cells set aside."""
    error: str = ""
    """Why there is no new classifier."""

    @property
    def elapsed_s(self) -> float:
        """Since its start."""
        return time.monotonic() - self.since_s


class Teaching:
    """Of one bench; one fit at a time."""

    def __init__(self, outbox: Outbox, bench: Path, storage: Path, classifier: str) -> None:
        """Look for a fit that waits to be put in force.

        Args:
            outbox: with the cells.
            bench: the settings file.
            storage: the folder of results, in which the fit lies.
            classifier: what the settings call it.
        """
        self._outbox, self._bench, self._classifier = outbox, bench, classifier
        self._storage, self._folder = storage, storage / "fitted"
        self._lock = threading.Lock()
        self._progress = Progress(summary=self._kept_summary())
        self._process: subprocess.Popen[str] | None = None

    @property
    def progress(self) -> Progress:
        """Of the fit that runs, or of the last one."""
        return self._progress

    @property
    def waits(self) -> bool:
        """There is a fit that can be put in force."""
        return not self._progress.running and (self._folder / "classifier").is_dir()

    def named(self) -> Sequence[Named]:
        """How many cells there are to learn from."""
        return [Named(*row) for row in named_counts(self._outbox)]

    def fit(self, source: str) -> None:
        """Begin to fit to the cells of reports of this source; a fit that waits is thrown away.

        Raises:
            AdaptingError: one runs already, or the disk cannot be written.
        """
        with self._lock:
            if self._progress.running:
                raise AdaptingError("a fit is under way", "wait until it has ended")
            try:
                shutil.rmtree(self._folder, ignore_errors=True)
                self._folder.mkdir(parents=True, exist_ok=True)
                self._process = self._started(
                    "adapt", "fitted-here", "--to", str(self._folder / "classifier"), "--source", source, "--progress"
                )
            except OSError as error:
                raise AdaptingError(
                    Sentence("a fit cannot be begun ({why})", why=error.strerror), "is the disk full?"
                ) from error
            self._progress = Progress(running=True, since_s=time.monotonic())
            threading.Thread(target=self._follow, args=(self._process,), daemon=True).start()

    def put_in_force(self) -> str:
        """Install the fit, in force from the next start of the device; returns what the command says.

        Raises:
            AdaptingError: there is none, or it is refused.
        """
        if not self.waits:
            raise AdaptingError("there is no fit to put in force", "fit one first")
        said = self._run("bundle", "install", arguments=("--allow-unsigned", str(self._folder / "classifier")))
        shutil.rmtree(self._folder, ignore_errors=True)
        self._progress = Progress()
        return said

    def roll_back(self) -> str:
        """Put the classifier before in force again; returns what the command says.

        Raises:
            AdaptingError: there is none before.
        """
        return self._run("bundle", "rollback", arguments=("--", self._classifier))

    def in_force(self) -> tuple[str, bool]:
        """Version of the classifier in force, empty for the one that came with the software or lies beside the
        settings, and whether there is a way back.

        Raises:
            BundleError: what is installed cannot be read.
        """
        if (self._bench.parent / self._classifier).exists() or not is_bundle_name(self._classifier):
            return "", False
        installed = BundleStore(self._storage / "bundles").state(self._classifier).in_force
        return ("", False) if installed is None else (installed.version, True)

    def verification(self) -> dict[str, Any]:
        """What `leukoscope verify --json` says of the cells that people checked; brings the bench's record up to date.

        Raises:
            AdaptingError: the record is damaged or cannot be written.
        """
        found: dict[str, Any] = json.loads(self._said("verify", arguments=("--json",)))
        return found

    def stop(self) -> None:
        """The page leaves: a fit that runs is ended."""
        if self._process is not None:
            self._process.terminate()

    def _follow(self, process: "subprocess.Popen[str]") -> None:
        """In a thread: keep up with what the fit says of itself."""
        begun_s, last = self._progress.since_s, ""
        with process:
            for line in process.stderr or ():
                done, _, of = line.strip().partition("/")
                if done.isdecimal() and of.isdecimal():
                    self._progress = Progress(running=True, done=int(done), of=int(of), since_s=begun_s)
                elif line.strip():
                    last = f"{last}\n{line.strip()}"[-_MOST_CHARS:]
            said = "" if process.stdout is None else process.stdout.read().strip()
        if process.returncode or not said:
            _log.warning("fit: %s", last)
            self._progress = Progress(error=text_of(last) or "the fit ended without a word")
            return
        summary = text_of(said.splitlines()[0])
        try:
            (self._folder / "summary.txt").write_text(kept(summary))
        except OSError as error:
            _log.warning("fit: its summary cannot be kept (%s)", error)
        self._progress = Progress(summary=summary)

    def _kept_summary(self) -> str:
        try:
            return read((self._folder / "summary.txt").read_text()[:_MOST_CHARS])
        except (OSError, UnicodeDecodeError):
            return ""

    def _started(self, command: str, *arguments: str) -> "subprocess.Popen[str]":
        words = words_of(self._bench, (command,), *arguments)
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())

    def _run(self, *command: str, arguments: Sequence[str]) -> str:
        return text_of(self._said(*command, arguments=arguments))

    def _said(self, *command: str, arguments: Sequence[str]) -> str:
        try:
            ended = done(self._bench, command, *arguments)
        except OSError as error:
            raise AdaptingError(
                Sentence("leukoscope {command} did not end ({error})", command=" ".join(command), error=error),
                "try again",
            ) from error
        if ended.returncode:
            raise AdaptingError(text_of(ended.stderr), "nothing was changed")
        return ended.stdout
