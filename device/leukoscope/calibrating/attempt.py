"""One attempt at a part of a bench's calibration: its camera, its guide, and what becomes of it."""

import getpass
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import typer

from leukoscope.calibrating.calibration_pictures import stored, taken
from leukoscope.calibrating.guide import Guide, guided
from leukoscope.calibrating.measuring import Attribution, Measured
from leukoscope.calibrating.site_calibration import Site
from leukoscope.cameras import Camera
from leukoscope.cameras.held import held
from leukoscope.errors import CalibrationError, SettingsError
from leukoscope.optics.calibration import Calibration
from leukoscope.sentence import Sentence
from leukoscope.settings import BenchSettings
from leukoscope.specimen.frame import Frame
from leukoscope.system.clock import Clock, utc_now


@dataclass(frozen=True, slots=True)
class Session:
    """The camera, or stored pictures in its place, and the guide of one attempt."""

    guide: Guide
    camera: Camera | None
    pictures: Sequence[str] = ()

    @property
    def live_camera(self) -> Camera:
        """The camera, where there must be one."""
        if self.camera is None:
            raise SettingsError("expected the bench's camera, found stored pictures", "leave --pictures out")
        return self.camera

    def frames(self, todo: str, count: int, every_s: float, *, one_press: bool = False) -> list[Frame]:
        """What the camera takes while the technician is led, or what was stored; as in `pictures`."""
        if self.pictures:
            return stored(self.pictures)
        return taken(self.live_camera, count, todo, self.guide, every_s=every_s, one_press=one_press)


class Attempt:
    """One attempt at a part of a bench's calibration."""

    def __init__(
        self,
        part: str,
        title: str,
        bench: Path,
        by: str,
        valid_days: int,
        optics: str | None = None,
        objective: str | None = None,
        now: Clock = utc_now,
    ) -> None:
        self.part, self.title, self.bench = part, title, bench
        self.settings = BenchSettings.read(bench)
        self.site = Site.of(self.settings, bench)
        who = by or _logged_in()
        if not who.isprintable() or len(who) > 64:
            raise SettingsError(
                f"--by: expected at most 64 printable characters, found {who[:40]!r}", "give a shorter name"
            )
        self.attribution = Attribution(who, now(), timedelta(days=valid_days), optics, objective)
        base = self.site.base
        if objective is not None and base is not None and base.objective not in (None, objective):
            raise CalibrationError(
                f"{base.id} is for objective {base.objective}, not {objective}",
                "let calibration.file in the settings "
                "name a new file for it, then begin with `leukoscope calibrate scale`",
            )

    @contextmanager
    def session(self, by_button: bool, pictures: Sequence[str] | None = None) -> Iterator[Session]:
        """Open what the attempt needs; a refusal says what stays in force, on the displays too.

        Raises:
            LeukoscopeError: a part cannot be opened, or the measurement was refused.
        """
        with guided(self.settings, self.title, live=not pictures, by_button=by_button) as guide, ExitStack() as stack:
            camera = None
            if not pictures:
                base = self.site.base
                camera = held(self.settings.camera, None if base is None else base.white).open()
                stack.callback(camera.close)
                guide.source = camera.source
            try:
                yield Session(guide, camera, pictures or ())
            except CalibrationError as error:
                message = Sentence(
                    "{part} refused, calibration in force: {id}; {reason}",
                    part=self.part,
                    id=self.site.in_force,
                    reason=error.happened,
                )
                raise CalibrationError(message, error.todo) from error

    def calibration(self) -> Calibration:
        """What is in force, or would be once the settings name it.

        Raises:
            CalibrationError: it is corrupt or its time is over.
        """
        if self.site.path.exists():
            return Calibration.read(self.site.path)
        return self.settings.calibration.open(self.bench.parent)

    def keep(self, measured: Measured, guide: Guide) -> None:
        """Put it in force and say so."""
        self.site.put_in_force(measured.record, measured.files)
        until = measured.record.measurements()[self.part].valid_until
        for line in measured.words:
            typer.echo(line)
        typer.echo(
            f"Written to {self.site.path} as {measured.record.id} by {self.attribution.by}, "
            f"valid until {until:%Y-%m-%d}."
        )
        naming = self.site.how_to_name(self.bench)
        if naming:
            typer.echo(naming)
        typer.echo(measured.todo)
        guide.show(Sentence("Done. {what}", what=measured.words[0]), measured.todo)


def _logged_in() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError) as error:
        raise SettingsError("this system does not tell who is logged in", "say who measures with --by") from error
