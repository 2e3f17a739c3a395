"""`leukoscope web`."""

import json
import os
import sys
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from leukoscope.cli.options import BenchOption
from leukoscope.errors import SettingsError
from leukoscope.settings import BenchSettings, identity_of
from leukoscope.system.page_folder import page_folder

PAGE_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "1000000"}
"""A recount needs one thread; each more of OpenBLAS or of malloc's own would hold memory. By a fixed threshold the
16 MiB that scrypt takes for a PIN go back to the system; else malloc raises it at the first and keeps the others."""


def web(
    bench: BenchOption,
    port: Annotated[int | None, typer.Option(help="Instead of web.port; 0 takes a free one.", min=0, max=65535)] = None,
) -> None:
    """Serve the page on which people look through samples, name cells and sign, until it is asked to stop.

    The first time it prints a code with which the first administrator's account is made.
    """
    if find_spec("starlette") is None:
        raise SettingsError("the page is not installed", "pip install 'leukoscope[web]'")
    # This process has read every driver's settings; the page needs none of them, and a board's memory is short.
    command = [sys.executable, "-m", "leukoscope.web", page_arguments(bench, port)]
    os.execve(sys.executable, command, os.environ | PAGE_ENVIRONMENT)


def page_arguments(bench: Path, port: int | None = None) -> str:
    """What the page's process learns of a bench, as JSON: names, folders and rules, no secrets.

    Raises:
        SettingsError: the settings cannot be read.
    """
    settings = BenchSettings.read(bench)
    page = settings.web if port is None else settings.web.model_copy(update={"port": port})
    arguments = {
        **asdict(identity_of(settings)),
        "storage": str(settings.storage.folder.resolve()),
        "bench": str(bench.resolve()),
        "signing": asdict(settings.signing.rule),
        "live": str(page_folder(settings.storage.folder, page.live_folder).resolve()),
        "segmenter": settings.models.segmenter,
        "classifier": settings.models.classifier,
        "web": page.model_dump(mode="json"),
    }
    return json.dumps(arguments)
