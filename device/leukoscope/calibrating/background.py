"""Dark level, flat field and white balance: what blank fields tell, checked on pictures that took no part."""

from collections.abc import Sequence

from leukoscope.calibrating.asks import Next
from leukoscope.calibrating.locking import lock_in_words, locked
from leukoscope.calibrating.measuring import Attribution, Measured, facts_of, renewed
from leukoscope.calibrating.site_calibration import Site
from leukoscope.errors import CalibrationError
from leukoscope.optics.blank import Light, dark_of, light_of, unevenness
from leukoscope.optics.calibration import grid_from, light_path_of
from leukoscope.optics.calibration_record import CalibrationRecord, DarkLevel, FlatLight, WhiteBalance
from leukoscope.optics.calibration_writing import grid_file, named
from leukoscope.optics.flatfield import FlatField, gain_of
from leukoscope.optics.whitebalance import off_white, white_gains
from leukoscope.sentence import Sentence
from leukoscope.specimen.frame import Frame, Pixels

MAX_UNEVEN = 0.01
"""How far corrected blank fields may stray from their mean, 0-1."""
MAX_OFF_WHITE = 2.0
"""What may be left of colour on corrected blank fields, ΔE."""
MIN_PICTURES = 5
"""Of blank fields: three to measure on, two to check on."""


def dark_step(site: Site, frames: Sequence[Frame], attribution: Attribution) -> Measured:
    """The dark level, from pictures with the lamp off.

    Raises:
        CalibrationError: they are not dark, or foreign.
    """
    base = _based(site, frames)
    level = dark_of([frame.pixels for frame in frames])
    kept, files = named(site.path, "dark", ".npz", grid_file("level", level))
    facts, picture = facts_of(site, "dark", len(frames), frames[0], attribution)
    part = DarkLevel(level=kept, **facts)
    means = ", ".join(f"{mean:.1f}" for mean in level.mean(axis=(0, 1)))
    words = (
        Sentence(
            "Without light the sensor reads {means} of 255 (red, green, blue), from {count} pictures.",
            means=means,
            count=len(frames),
        ),
    )
    todo = Next.FLAT
    return Measured(renewed(site, base, frames, attribution, dark=part), {**files, **picture}, words, todo)


def flat_step(site: Site, frames: Sequence[Frame], attribution: Attribution) -> Measured:
    """The flat field, from blank fields; a third of them takes no part and is what it is checked on.

    Raises:
        CalibrationError: they are not blank, foreign, or still uneven after correction.
    """
    base = _based(site, frames)
    made_from, checked_on = _split(frames)
    blank = light_of(made_from)
    dark, _ = light_path_of(site.path.parent, base.model_copy(update={"flat": None, "flat_field": None}))
    flat = FlatField(gain_of(blank.light, dark), dark)
    before, after = unevenness(checked_on), unevenness([flat.apply(one) for one in checked_on])
    if after > MAX_UNEVEN:
        raise CalibrationError(
            f"the corrected background still strays by {after:.1%} (at most {MAX_UNEVEN:.0%}), uncorrected by "
            f"{before:.1%}",
            "let the lamp warm up, leave lamp and condenser alone, and take the blank fields again",
        )
    kept, files = named(site.path, "flat", ".npz", grid_file("light", blank.light))
    facts, picture = facts_of(site, "flat", len(frames), frames[0], attribution)
    part = FlatLight(light=kept, unevenness_before=before, unevenness_after=after, **facts)
    words = (
        Sentence(
            "{used} blank fields were used, {refused} were left out because of cells.",
            used=blank.used,
            refused=blank.refused,
        ),
        f"The background strays by {before:.1%} uncorrected and by {after:.2%} corrected "
        f"(on {len(checked_on)} pictures that took no part).",
    )
    todo = Next.WHITE
    record = renewed(site, base, frames, attribution, flat=part, flat_field=None)
    return Measured(record, {**files, **picture}, words, todo)


def white_step(site: Site, frames: Sequence[Frame], attribution: Attribution) -> Measured:
    """The white balance, from blank fields; a third of them takes no part and is what it is checked on.

    Raises:
        CalibrationError: there is no flat field yet, the camera is not locked, or colour is left.
    """
    base = _based(site, frames)
    steady = locked(frames)
    made_from, checked_on = _split(frames)
    dark, gain = _light_path(site, base)
    if gain is None:
        raise CalibrationError(
            "a white balance builds on a flat field, there is none", "`leukoscope calibrate flat` first"
        )
    before = FlatField(gain, dark)
    gains = white_gains(light_of([before.apply(one) for one in made_from]).light)
    after = FlatField(gain, dark, gains)
    colour_before = off_white(light_of([before.apply(one) for one in checked_on]).light)
    colour_after = off_white(light_of([after.apply(one) for one in checked_on]).light)
    if colour_after > MAX_OFF_WHITE:
        raise CalibrationError(
            f"a colour of ΔE {colour_after:.1f} is left on the background (at most {MAX_OFF_WHITE:g}), ΔE "
            f"{colour_before:.1f} before",
            "calibrate the flat field again, then the white balance",
        )
    facts, picture = facts_of(site, "white", len(frames), frames[0], attribution)
    part = WhiteBalance(gains=gains, off_white=colour_after, **steady, **facts)
    words: list[str] = [
        Sentence(
            "Red is multiplied by {red} and blue by {blue}: the background goes from ΔE {before} to ΔE "
            "{after} (on {count} pictures that took no part).",
            red=f"{gains[0]:.3f}",
            blue=f"{gains[2]:.3f}",
            before=f"{colour_before:.1f}",
            after=f"{colour_after:.2f}",
            count=len(checked_on),
        )
    ]
    words.append(lock_in_words(steady))
    own = steady["colour_gains"]
    if own is not None and max(gains[0], gains[2]) > 1.1:
        words.append(
            f"With camera.colour_gains = [{own[0] * gains[0]:.2f}, {own[1] * gains[2]:.2f}] in the settings the camera "
            "would do this itself, with less noise; calibrate flat and white again after that."
        )
    todo = Next.SCALE
    return Measured(renewed(site, base, frames, attribution, white=part), dict(picture), tuple(words), todo)


def _based(site: Site, frames: Sequence[Frame]) -> CalibrationRecord:
    if site.base is None:
        raise CalibrationError(f"there is no scale in {site.path} yet", "begin with `leukoscope calibrate scale`")
    site.expect_own(list(frames))
    return site.base


def _light_path(site: Site, base: CalibrationRecord) -> tuple[Light | None, Light | None]:
    """As the record says; a gain taken over from the software is not yet among the bench's files."""
    if site.carried_over and base.flat_field is not None:
        return None, grid_from(site.carried_over[base.flat_field.path], "gain", site.path)
    return light_path_of(site.path.parent, base)


def _split(frames: Sequence[Frame]) -> tuple[list[Pixels], list[Pixels]]:
    """Pictures to measure on, and every third to check on."""
    if len(frames) < MIN_PICTURES:
        raise CalibrationError(f"expected at least {MIN_PICTURES} blank fields, found {len(frames)}", "take more")
    checked_on = [frame.pixels for number, frame in enumerate(frames) if number % 3 == 1]
    return [frame.pixels for number, frame in enumerate(frames) if number % 3 != 1], checked_on
