"""What a command says to a person, or to the page in the browser, which puts it into the person's language."""

import json
import os
from collections.abc import Mapping

import typer

from leukoscope.errors import LeukoscopeError
from leukoscope.messages.error_sentence import sentence_of
from leukoscope.sentence import to_wire
from leukoscope.system.own_answers import AS_SENTENCES
from leukoscope.system.standard_output import printable


def say(text: str) -> None:
    """Print a line: the text, or as JSON its id and values where that is asked for."""
    typer.echo(_line(text, os.environ))


def say_failed(error: LeukoscopeError) -> None:
    """Print on standard error what happened and what to do, likewise."""
    text = sentence_of(error)
    typer.echo(_line(text, os.environ, "leukoscope: "), err=True)


def _line(text: str, environ: Mapping[str, str], before: str = "") -> str:
    return json.dumps(to_wire(text)) if environ.get(AS_SENTENCES) else printable(before + text)
