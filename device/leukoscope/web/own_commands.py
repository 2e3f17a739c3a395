"""The device's own command line, in a process of low priority: what it needs in memory is given back."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from leukoscope.system.own_answers import AS_SENTENCES
from leukoscope.web.kept_texts import read

_TIMEOUT_S = 180
_MOST_CHARS = 600
"""Of what a command says that is no sentence of ours."""


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


def environment() -> Mapping[str, str]:
    """That of a command whose texts `text_of` reads."""
    return os.environ | {AS_SENTENCES: "1"}


def done(bench: Path, command: Sequence[str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end; arguments as `words_of`.

    Raises:
        OSError: it cannot be started, or did not end within three minutes.
    """
    try:
        words = words_of(bench, command, *arguments)
        return subprocess.run(words, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False, env=environment())
    except subprocess.TimeoutExpired as error:
        raise TimeoutError(f"not within {error.timeout:.0f} s") from error


def text_of(said: str) -> str:
    """What a command said on its last line, as a text that can be put into another language where it can be.

    Args:
        said: all that it printed.
    """
    last = next((line for line in reversed(said.splitlines()) if line.strip()), "")
    text = read(last)
    return " ".join(said.split())[-_MOST_CHARS:] if text == last else text
