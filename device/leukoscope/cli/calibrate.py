"""`leukoscope calibrate dark|flat|white|scale|focus|menu`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from leukoscope.calibrating.asks import Ask, Title
from leukoscope.calibrating.attempt import Attempt
from leukoscope.calibrating.background import dark_step, flat_step, white_step
from leukoscope.calibrating.focusing import focus_step, watch_focus
from leukoscope.calibrating.guide import Guide
from leukoscope.calibrating.menu import Page, show_menu
from leukoscope.calibrating.red_cell_scale import EXPECTED_UM, MAX_OFF, measure_red_cells
from leukoscope.calibrating.scaling import scale_step
from leukoscope.cli.options import BenchOption
from leukoscope.specimen.frame import Frame
from leukoscope.system.shutdown import stopped_by_signals

calibrate_app = typer.Typer(
    help="Measure the light path of a bench. A bad attempt is refused, and what was in force stays in force.",
    no_args_is_help=True,
)

ByOption = Annotated[str, typer.Option(help="Who measures; by default the user who is logged in.")]
FramesOption = Annotated[int, typer.Option(min=1, max=100, help="Pictures taken with the bench's camera.")]
EveryOption = Annotated[float, typer.Option(min=0, max=60, help="Seconds between two pictures: time to move on.")]
ButtonOption = Annotated[bool, typer.Option("--by-button", help="Take pictures at a press of the bench's button.")]
PicturesOption = Annotated[
    list[str] | None, typer.Option(help="Measure on stored pictures instead: a file, folder or pattern; repeatable.")
]
ValidOption = Annotated[int, typer.Option(min=1, max=3650, help="Days for which it holds.")]
OpticsOption = Annotated[str | None, typer.Option(help="Camera, objective and tube lens in words, where they are new.")]
ObjectiveOption = Annotated[str | None, typer.Option(help='The objective alone, such as "100x/1.25 oil".')]


@calibrate_app.command()
def dark(
    bench: BenchOption,
    by: ByOption = "",
    frames: FramesOption = 9,
    every: EveryOption = 0.2,
    by_button: ButtonOption = False,
    pictures: PicturesOption = None,
    valid_days: ValidOption = 180,
    optics: OpticsOption = None,
    objective: ObjectiveOption = None,
) -> None:
    """What the sensor reads without light: lamp off, nothing else changed."""
    attempt = Attempt("dark", Title.DARK, bench, by, valid_days, optics, objective)
    with attempt.session(by_button, pictures) as session:
        seen = session.frames(Ask.SWITCH_LAMP_OFF, frames, every, one_press=True)
        attempt.keep(dark_step(attempt.site, seen, attempt.attribution), session.guide)


@calibrate_app.command()
def flat(
    bench: BenchOption,
    by: ByOption = "",
    frames: FramesOption = 9,
    every: EveryOption = 1.0,
    by_button: ButtonOption = False,
    pictures: PicturesOption = None,
    valid_days: ValidOption = 180,
    optics: OpticsOption = None,
    objective: ObjectiveOption = None,
) -> None:
    """Even light, from blank fields: an empty place of the slide, moved a little between the pictures."""
    attempt = Attempt("flat", Title.FLAT, bench, by, valid_days, optics, objective)
    with attempt.session(by_button, pictures) as session:
        seen = session.frames(Ask.MOVE_TO_NEXT, frames, every)
        attempt.keep(flat_step(attempt.site, seen, attempt.attribution), session.guide)


@calibrate_app.command()
def white(
    bench: BenchOption,
    by: ByOption = "",
    frames: FramesOption = 9,
    every: EveryOption = 0.2,
    by_button: ButtonOption = False,
    pictures: PicturesOption = None,
    valid_days: ValidOption = 180,
    optics: OpticsOption = None,
    objective: ObjectiveOption = None,
) -> None:
    """White balance, from a blank field; holds for the exposure and gains it was made with."""
    attempt = Attempt("white", Title.WHITE, bench, by, valid_days, optics, objective)
    with attempt.session(by_button, pictures) as session:
        seen = session.frames(Ask.STAY, frames, every, one_press=True)
        attempt.keep(white_step(attempt.site, seen, attempt.attribution), session.guide)


@calibrate_app.command()
def scale(
    bench: BenchOption,
    by: ByOption = "",
    spacing_um: Annotated[
        float, typer.Option(min=0.5, max=1000, help="Distance between the lines of the ruling, in µm.")
    ] = 10.0,
    tolerance_percent: Annotated[
        float, typer.Option(min=0, max=5, help="How exact the ruling is, in percent (95 %).")
    ] = 0.1,
    check: Annotated[
        bool, typer.Option("--check", help="Measure red cells of a smear at the scale in force; writes nothing.")
    ] = False,
    frames: FramesOption = 5,
    every: EveryOption = 0.2,
    by_button: ButtonOption = False,
    pictures: PicturesOption = None,
    valid_days: ValidOption = 365,
    optics: OpticsOption = None,
    objective: ObjectiveOption = None,
) -> None:
    """Micrometres per pixel, from the lines of a stage micrometer at any angle."""
    if check:
        attempt = Attempt("scale", Title.SCALE_CHECK, bench, by, valid_days)
        with attempt.session(by_button, pictures) as session:
            _check_scale(attempt, session.frames(Ask.FOCUS_ON_SMEAR, frames, every), session.guide)
        return
    attempt = Attempt("scale", Title.SCALE, bench, by, valid_days, optics, objective)
    with attempt.session(by_button, pictures) as session:
        seen = session.frames(Ask.FOCUS_ON_MICROMETER, frames, every, one_press=True)
        tolerance = tolerance_percent / 100
        step = scale_step(attempt.site, seen, attempt.attribution, spacing_um=spacing_um, tolerance=tolerance)
        attempt.keep(step, session.guide)


@calibrate_app.command()
def focus(
    bench: BenchOption,
    by: ByOption = "",
    seconds: Annotated[float, typer.Option(min=1, max=3600, help="How long to watch; a press or Ctrl-C ends.")] = 60.0,
    frames: Annotated[int, typer.Option(min=0, max=100_000, help="End after so many pictures; 0: by time.")] = 0,
    by_button: ButtonOption = False,
    valid_days: ValidOption = 180,
) -> None:
    """Sharpness as a bar while you focus on a smear; the best value becomes the bench's reference."""
    attempt = Attempt("focus", Title.FOCUS, bench, by, valid_days)
    stopped: list[bool] = []
    with attempt.session(by_button) as session, stopped_by_signals(lambda: stopped.append(True)):
        base = attempt.site.base
        seen = watch_focus(
            session.live_camera,
            attempt.calibration(),
            attempt.settings.quality,
            session.guide,
            reference=None if base is None or base.focus is None else base.focus.sharpness,
            frames=frames,
            seconds=seconds,
            stopped=lambda: bool(stopped),
        )
        attempt.keep(focus_step(attempt.site, seen, attempt.attribution), session.guide)


@calibrate_app.command()
def menu(bench: BenchOption, by: ByOption = "") -> None:
    """All of these by the bench's button alone: press for the next one, hold to begin it, the last page leaves."""
    show_menu(bench, pages_of(bench, by))


def pages_of(bench: Path, by: str = "") -> tuple[Page, ...]:
    """Every calibration, in the order in which a new bench goes through them."""
    return (
        Page("Scale", lambda: scale(bench, by, by_button=True)),
        Page("Dark level", lambda: dark(bench, by, by_button=True)),
        Page("Flat field", lambda: flat(bench, by, by_button=True)),
        Page("White balance", lambda: white(bench, by, by_button=True)),
        Page("Check of the scale", lambda: scale(bench, by, check=True, by_button=True)),
        Page("Focus", lambda: focus(bench, by, by_button=True)),
    )


def _check_scale(attempt: Attempt, seen: Sequence[Frame], guide: Guide) -> None:
    calibration = attempt.calibration()
    size = measure_red_cells(seen, calibration, attempt.settings, attempt.bench.parent)
    text = (
        f"{size.cells} whole red cells have a median diameter of {size.diameter_um:.2f} µm at "
        f"{calibration.um_per_px:.5f} µm per pixel ({calibration.id}); {EXPECTED_UM:g} µm are usual: {size.off:+.1%}."
    )
    typer.echo(text)
    if size.disagrees:
        typer.echo(
            f"leukoscope: warning: scale and red cells disagree by {abs(size.off):.0%}, more than {MAX_OFF:.0%}: "
            "measure the ruling again with its true spacing, and check another patient's smear before you trust sizes",
            err=True,
        )
    guide.show("Scale and red cells disagree" if size.disagrees else "Scale and red cells agree", text)
