"""Does some work for each stored picture of a command line; a bad one is named and the rest go on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from leukoscope.cameras.picture_files import find_pictures
from leukoscope.errors import PictureError
from leukoscope.system.library_words import library_words
from leukoscope.system.standard_output import printable

MOST_NAMED = 5
"""Files left out that are named in one line."""


def for_each_picture(patterns: list[str], work: Callable[[Path], None]) -> bool:
    """Do the work for every picture that files, folders and patterns name.

    Args:
        patterns: as they were given.
        work: may raise PictureError, which names the picture on standard error.

    Returns:
        Whether all went well, and nothing in the folders was of a kind that is not read.
    """
    bad = 0
    left: list[Path] = []
    with library_words() as words, _progress(patterns, left) as paths:
        for path in paths:
            try:
                work(path)
            except PictureError as error:
                words()
                typer.echo(printable(f"leukoscope: {error}"), err=True)
                bad += 1
            else:
                if said := words():
                    typer.echo(printable(f"leukoscope: {path} was read, and its decoder says: {said}"), err=True)
    if left:
        names = ", ".join(path.name for path in left[:MOST_NAMED]) + (", …" if len(left) > MOST_NAMED else "")
        files = "1 file" if len(left) == 1 else f"{len(left)} files"
        typer.echo(printable(f"leukoscope: {files} left out, of a kind that is not read: {names}"), err=True)
    return not (bad or left)


@contextmanager
def _progress(patterns: list[str], left: list[Path]) -> Iterator[Iterator[Path]]:
    """The pictures, with a progress bar on standard error where that is a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield find_pictures(patterns, left)
        return
    total = sum(1 for _ in find_pictures(patterns))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as progress:
        task = progress.add_task("pictures", total=total)

        def advancing() -> Iterator[Path]:
            for path in find_pictures(patterns, left):
                yield path
                progress.advance(task)

        yield advancing()
