"""Focus: sharpness as a bar while the technician turns the knob; the best value seen becomes the bench's reference.

The best picture is then blurred step by step, and the gate's limit on this bench is where the networks begin to err.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from leukoscope.calibrating.asks import Ask, Next
from leukoscope.calibrating.guide import Guide
from leukoscope.calibrating.measuring import Attribution, Measured, facts_of
from leukoscope.calibrating.site_calibration import Site
from leukoscope.cameras import Camera
from leukoscope.errors import CalibrationError
from leukoscope.optics.calibration import Calibration
from leukoscope.optics.calibration_record import Focus
from leukoscope.optics.quality import QualityGate, QualityLimits, focus_series
from leukoscope.sentence import Sentence
from leukoscope.specimen.field import Flaw
from leukoscope.specimen.frame import Frame, Micrograph

TOLERATED_UM = 0.5
"""Blur, standard deviation, that costs the segmenter at most 2 points of F1 in each collection of labelled fields
(`tools/evaluate.py --only focus`)."""
LEAST_LIMIT, MOST_LIMIT = 0.15, 0.25
"""Below the one blur cost more than 2 points on average of both collections, above the other less in either."""
STEPS_UM = (0.2, 0.3, 0.4, TOLERATED_UM)
JUDGED = (Flaw.EMPTY, Flaw.CROWDED, Flaw.UNDEREXPOSED, Flaw.OVEREXPOSED)
"""Fields with these flaws show nothing that could be sharp, or not truly."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The best focus of one session."""

    sharpness: float
    frame: Frame
    series: tuple[float, ...]
    """Its sharpness when it is blurred by `STEPS_UM`."""
    frames: int
    """Frames that were judged."""


def watch_focus(
    camera: Camera,
    calibration: Calibration,
    limits: QualityLimits,
    guide: Guide,
    *,
    reference: float | None,
    frames: int,
    seconds: float,
    clock_s: Callable[[], float] = time.monotonic,
    stopped: Callable[[], bool] = lambda: False,
) -> Seen:
    """Show sharpness until a press, a signal, so many frames or so many seconds.

    Args:
        camera: at the bench.
        calibration: in force.
        limits: of the quality gate.
        guide: shows it.
        reference: the bench's best sharpness so far, 0-1; None where there is none.
        frames: after which it ends; 0 for no limit.
        seconds: after which it ends.
        clock_s: any clock that does not step back.
        stopped: whether a signal has ended it.

    Raises:
        CalibrationError: no field with cells was seen, the best was out of focus, or the frames are foreign.
        CameraError: the camera failed.
    """
    gate = QualityGate(limits)
    best: tuple[float, Micrograph] | None = None
    judged = looked = 0
    begin = clock_s()
    while not stopped() and clock_s() - begin < seconds and (not frames or looked < frames):
        frame = camera.capture()
        if frame is None or guide.pressed() is not None:
            break
        looked += 1
        guide.field(frame)
        micrograph = calibration.correct(frame)
        quality = gate.assess(micrograph)
        if any(flaw in JUDGED for flaw in quality.flaws):
            guide.bar(Ask.GO_TO_SPREAD_CELLS, f"{quality.flaws[0].value.replace('_', ' ')}", 0.0)
            continue
        judged += 1
        if best is None or quality.sharpness > best[0]:
            best = quality.sharpness, micrograph
        _show_sharpness(guide, quality.sharpness, best[0], reference, limits.min_sharpness)
    guide.end_bar()
    if best is None:
        raise CalibrationError(
            Sentence("no field with cells was seen in {count} pictures", count=looked),
            "put a smear under the objective",
        )
    sharpness, field = best
    _refuse_blurred(sharpness, limits.min_sharpness)
    return Seen(sharpness, field.frame, focus_series(field, STEPS_UM), judged)


def _show_sharpness(guide: Guide, now: float, best: float, reference: float | None, least: float) -> None:
    """A bar that is full at the best sharpness known, all 0-1."""
    full = max(best, reference or 0.0, least)
    note = Sentence("sharpness {now}, best {best}", now=f"{now:.2f}", best=f"{best:.2f}")
    if reference is not None:
        note = note.and_also(", reference {reference}", reference=f"{reference:.2f}")
    guide.bar(Ask.TURN_FINE_FOCUS, note, now / full if full else 0.0)


def _refuse_blurred(best: float, least: float) -> None:
    if best < least:
        raise CalibrationError(
            Sentence("the best sharpness was {best}, a field needs {limit}", best=f"{best:.2f}", limit=f"{least:g}"),
            "turn the fine focus "
            "slowly through its best point; if that does not help, clean the objective and put oil on",
        )


def focus_step(site: Site, seen: Seen, attribution: Attribution) -> Measured:
    """The best focus as the bench's reference.

    Raises:
        CalibrationError: there is no calibration yet that it could be added to.
    """
    if site.base is None:
        raise CalibrationError(f"there is no scale in {site.path} yet", "begin with `leukoscope calibrate scale`")
    facts, files = facts_of(site, "focus", seen.frames, seen.frame, attribution)
    limit = round(min(max(seen.series[-1], LEAST_LIMIT), MOST_LIMIT), 3)
    part = Focus(sharpness=seen.sharpness, limit=limit, **facts)
    found = Sentence(
        "The best of {count} pictures has a sharpness of {sharpness}",
        count=seen.frames,
        sharpness=f"{seen.sharpness:.3f}",
    )
    if site.base.focus is not None:
        found = found.and_also("; the reference before was {before}", before=f"{site.base.focus.sharpness:.2f}")
    words = (
        found.and_also("."),
        _series_in_words(seen, limit),
    )
    record = site.base.model_copy(update={"seal": None, "id": site.new_id(attribution.at), "focus": part})
    return Measured(record, dict(files), words, Next.COUNT)


def _series_in_words(seen: Seen, limit: float) -> str:
    steps = ", ".join(f"{blur:g} µm {sharpness:.2f}" for blur, sharpness in zip(STEPS_UM, seen.series, strict=True))
    return (
        f"Blurred by {steps}: from now on fields below {limit:.2f} are out of focus, unless quality.min_sharpness "
        "in the settings says otherwise."
    )
