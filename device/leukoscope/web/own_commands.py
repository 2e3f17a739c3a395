"""The device's own command line, in a process of low priority: what it needs in memory is given back."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_TIMEOUT_S = 180


def words_of(bench: Path, command: Sequence[str], *arguments: str) -> list[str]:
    """A command of `leukoscope` about a bench.

    Args:
        bench: the settings file.
        command: such as ("bundle", "use").
        arguments: its arguments, and its options before them.
    """
    # Where even more niceness may not be asked for, nice says so and goes on.
    nice = ["nice", "-n", "9"] if shutil.which("nice") else []
    return [*nice, sys.executable, "-m", "leukoscope.cli.main", *command, "--bench", str(bench), *arguments]


def done(bench: Path, command: Sequence[str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end; arguments as `words_of`.

    Raises:
        OSError: it cannot be started, or did not end within three minutes.
    """
    try:
        words = words_of(bench, command, *arguments)
        return subprocess.run(words, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"not within {error.timeout:.0f} s") from error


def complaint_of(ended: "subprocess.CompletedProcess[str]", most_chars: int = 400) -> str:
    """Why it failed, in its own words."""
    return " ".join(ended.stderr.split())[-most_chars:].removeprefix("leukoscope: ")
