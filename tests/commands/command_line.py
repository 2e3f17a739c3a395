"""Runs the command in this process, and makes pictures to run it on."""

import contextlib
import io
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from PIL import Image

from leukoscope.cameras.simulated import SimulatedCamera, SimulatedCameraSettings
from leukoscope.cli import main as cli
from leukoscope.simulation.microscope import VisibleCell
from leukoscope.simulation.smear import SmearSettings


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str


def leukoscope(*arguments: object) -> Outcome:
    """Run `leukoscope ARGUMENTS` as the shell would."""
    out, err = io.StringIO(), io.StringIO()
    code = 0
    with (
        mock.patch.object(sys, "argv", ["leukoscope", *map(str, arguments)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            cli.main()
        except SystemExit as leaving:
            code = leaving.code if isinstance(leaving.code, int) else 1
    return Outcome(code, out.getvalue(), err.getvalue())


def simulated_camera(white_per_1000_rbc: float = 30.0, seed: int = 3) -> SimulatedCamera:
    """A camera over a slide with a few white cells per field."""
    smear = SmearSettings(seed=seed, white_per_1000_rbc=white_per_1000_rbc)
    return SimulatedCameraSettings(smear=smear).open()


def simulated_pictures(folder: Path, count: int) -> Iterator[tuple[Path, tuple[VisibleCell, ...]]]:
    """Fields of the simulated microscope as PNG files, and the truth about each."""
    camera = simulated_camera()
    folder.mkdir(exist_ok=True)
    for number in range(1, count + 1):
        path = folder / f"field-{number}.png"
        Image.fromarray(camera.capture().pixels).save(path)
        yield path, camera.truth
