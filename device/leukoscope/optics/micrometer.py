"""The spacing of a stage micrometer's lines in a picture, at any angle and far below a pixel.

The lines' direction comes from the structure tensor of the picture and a first spacing from the autocorrelation of the
profile across them. Then a wave of that spacing and its overtones are fitted to all pixels at once, together with the
shading of the lamp, so that no single line and no whole number of pixels decides.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from leukoscope.errors import CalibrationError
from leukoscope.sentence import Sentence
from leukoscope.specimen.frame import Pixels

MIN_LINES = 4
"""Fewer lines leave nothing to check their evenness with."""
MIN_SPACING_PX = 6
"""Lines that lie closer have overtones beyond what pixels can hold; they pass for others (Nyquist), and a wrong spacing
fits as well as the right one."""
MIN_COHERENCE = 0.5
"""How much more edges run one way than the other, 0-1; a smear or a crossed grid reaches less."""
MIN_LIKENESS = 0.3
"""Autocorrelation at one spacing, 0-1, below which nothing repeats."""
MIN_EXPLAINED = 0.8
"""Share of the picture's contrast that evenly spaced lines must explain, 0-1."""
PX_PER_SPACING = 14
"""The fit is made on a picture shrunk by a whole number, down to this many pixels from line to line."""
OVERTONES = (1, 2, 4, 6)
"""Waves fitted in each round: the first finds the way for the next, which would miss it from a rough start."""
SOFTNESS = 1 / 16
"""Blur (standard deviation, in spacings) before the fit: it leaves 2 % of the first overtone that is not fitted."""
SHADING_DEGREE = 4
"""Of the polynomial that follows the lamp."""
BLOCKS = 8
"""The picture is cut into so many times so many blocks to see how far they contradict each other."""
_AGAIN = 0.8
"""A shorter spacing whose autocorrelation reaches this share of the best one is the spacing itself."""

Plane = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spacing:
    """How far the lines of a ruling lie apart."""

    px: float
    """From line to line, pixels, across the lines."""
    error_px: float
    """Half the width of the 95 % interval, pixels: what noise, dirt and uneven lines leave open."""
    lines: int
    """How many lines the picture holds across."""
    angle_deg: float
    """Direction across the lines, degrees from the picture's columns, -90 to 90."""


def measure_ruling(pixels: Pixels) -> Spacing:
    """The spacing of the lines of one picture.

    Args:
        pixels: RGB, shape (rows, cols, 3); dark lines on bright glass.

    Raises:
        CalibrationError: the picture does not show enough even, parallel lines.
    """
    # In the logarithm, lamp and lines add up and can be separated.
    dark = -np.log(np.maximum(pixels[..., 1].astype(np.float32), 1))
    dark -= cv2.GaussianBlur(dark, (0, 0), max(dark.shape) / 4)
    angle = _direction(dark)
    profile = _across(dark, angle)
    spacing = _first_spacing(profile)
    if spacing < MIN_SPACING_PX:
        raise _too_fine(f"found them {spacing:.0f} apart")
    lines = int(len(profile) / spacing)
    if lines < MIN_LINES:
        raise CalibrationError(
            f"expected at least {MIN_LINES} lines in the picture, found {lines}",
            "take a finer ruling, or turn the slide so that the lines run along the picture's shorter side",
        )
    wave, error = _fitted(pixels[..., 1], np.array([np.cos(angle), np.sin(angle)]) / spacing)
    per_px = float(np.hypot(*wave))
    angle_deg = float(np.rad2deg(np.arctan2(wave[1], wave[0])))
    return Spacing(1 / per_px, error / per_px**2, lines, (angle_deg + 90) % 180 - 90)


def _direction(dark: NDArray[np.float32]) -> float:
    """The angle across the lines in radians: the main direction of the structure tensor (Bigün and Granlund 1987)."""
    smooth = cv2.GaussianBlur(dark, (0, 0), 2.0)
    x, y = cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    xx, yy, xy = float((x * x).mean()), float((y * y).mean()), float((x * y).mean())
    coherence = np.hypot(xx - yy, 2 * xy) / max(xx + yy, 1e-12)
    if coherence < MIN_COHERENCE:
        raise CalibrationError(
            Sentence(
                "expected the parallel lines of a stage micrometer, found edges in every direction "
                "(coherence {found} of at least {limit})",
                found=f"{coherence:.2f}",
                limit=MIN_COHERENCE,
            ),
            "focus on the ruling, and keep figures out of the picture",
        )
    return float(np.arctan2(2 * xy, xx - yy) / 2)


def _across(dark: NDArray[np.float32], angle: float) -> Plane:
    """Mean over the coordinate across the lines, in bins of a pixel that are well filled."""
    rows, cols = dark.shape
    place = np.arange(cols) * np.cos(angle) + np.arange(rows)[:, None] * np.sin(angle)
    bins = np.rint(place - place.min()).astype(np.intp).ravel()
    count = np.bincount(bins)
    kept = np.flatnonzero(count >= 0.25 * np.percentile(count, 90))
    inner = slice(kept[0], kept[-1] + 1)
    return np.asarray(np.bincount(bins, dark.ravel())[inner] / np.maximum(count[inner], 1))


def _first_spacing(profile: Plane) -> float:
    """The spacing to about a bin: the first lag at which the profile is nearly as like itself as it ever is."""
    centred = profile - profile.mean()
    size = len(profile)
    spectrum = np.abs(np.fft.rfft(centred, 2 * size)) ** 2
    lags = np.arange(size * 2 // 3)
    # Fewer and fewer bins overlap at longer lags, which must not pass for less likeness.
    likeness = np.fft.irfft(spectrum)[: len(lags)] / (size - lags) / max(float(centred.var()), 1e-12)
    # Before the first valley everything is like itself.
    valley = int(np.argmax(likeness < 0))
    peaks = np.flatnonzero((likeness[1:-1] >= likeness[:-2]) & (likeness[1:-1] > likeness[2:])) + 1
    peaks = peaks[peaks > valley] if valley else peaks[:0]
    best = float(likeness[peaks].max(initial=0.0))
    if best < MIN_LIKENESS:
        raise CalibrationError(
            f"expected evenly spaced lines, found nothing that repeats (likeness {best:.2f} of at least "
            f"{MIN_LIKENESS})",
            "focus on the ruling, with several lines in the picture",
        )
    return float(peaks[likeness[peaks] >= _AGAIN * best][0])


def _fitted(green: NDArray[np.uint8], wave: Plane) -> tuple[Plane, float]:
    """The wave vector (x, y) in waves per pixel, and half its 95 % interval along itself.

    Gauss and Newton: the model is linear in everything but the wave vector, whose two derivatives are fitted along.
    """
    spacing = float(1 / np.hypot(*wave))
    shrink = max(1, int(spacing / PX_PER_SPACING))
    dark, place = _shrunk(_softened(green, spacing), shrink)
    wave = wave * shrink
    for overtones in OVERTONES:
        for _ in range(4):
            columns, model = _columns(place, wave, overtones, dark)
            wave = wave + model[-2:]
    left = dark - _applied(columns, model)
    shading = _shading(place).shape[1]
    waves = _applied(columns[:, shading:-2], model[shading:-2])
    amplitudes = np.hypot(*np.split(model[shading:-2], 2))
    # Of equal lines the fundamental is the strongest wave, since |sin kx| is at most k |sin x|. Where an overtone is,
    # the spacing is a multiple of the true one, which happens where the true one is no whole number of pixels.
    if amplitudes.argmax() > 0:
        raise _too_fine(f"found finer lines between those {spacing:.0f} apart")
    explained = float(waves.var() / max(waves.var() + left.var(), 1e-12))
    if explained < MIN_EXPLAINED:
        raise CalibrationError(
            f"expected evenly spaced lines, but they explain only {explained:.0%} of the picture (at least "
            f"{MIN_EXPLAINED:.0%})",
            "are dirt or figures in it, or is it out of focus?",
        )
    spread = _spread(columns, left, place)[-2:, -2:]
    along = wave / np.hypot(*wave)
    return wave / shrink, 1.96 * float(np.sqrt(along @ spread @ along)) / shrink


def _too_fine(found: str) -> CalibrationError:
    return CalibrationError(
        f"expected lines at least {MIN_SPACING_PX} pixels apart, {found}",
        "take a coarser ruling, or an objective that enlarges more",
    )


def _softened(green: NDArray[np.uint8], spacing: float) -> NDArray[np.float32]:
    """Minus the logarithm of brightness, without the overtones that are not fitted, and without the rim.

    The sharp edges of a line have more overtones than can be fitted; what is left of them would pull at the others.
    """
    sigma = spacing * SOFTNESS
    soft = cv2.GaussianBlur(-np.log(np.maximum(green.astype(np.float32), 1)), (0, 0), sigma)
    rim = round(2.5 * sigma)
    return np.asarray(soft[rim:-rim, rim:-rim], dtype=np.float32)


def _shrunk(dark: NDArray[np.float32], shrink: int) -> tuple[Plane, Plane]:
    """The means of squares of `shrink` pixels, shape (n,), and their places (x, y) from the middle, in squares."""
    rows, cols = dark.shape[0] // shrink, dark.shape[1] // shrink
    whole = np.asarray(dark[: rows * shrink, : cols * shrink], dtype=np.float64)
    small = whole.reshape(rows, shrink, cols, shrink).mean(axis=(1, 3))
    y, x = np.mgrid[:rows, :cols].reshape(2, -1).astype(np.float64)
    return small.ravel(), np.stack([x - x.mean(), y - y.mean()], axis=1)


def _columns(place: Plane, wave: Plane, overtones: int, dark: Plane) -> tuple[Plane, Plane]:
    """The columns of the linear model at a wave vector, and their weights; the last two are steps of the vector."""
    shading = _shading(place)
    phase = 2 * np.pi * _applied(place, wave)[:, None] * np.arange(1, overtones + 1)
    linear = np.hstack([shading, np.cos(phase), np.sin(phase)])
    first = _solved(linear, dark)
    cosines, sines = np.split(first[shading.shape[1] :], 2)
    steps = np.arange(1.0, overtones + 1)
    slope = _applied(linear[:, shading.shape[1] :], np.concatenate([sines * steps, -cosines * steps]))
    columns = np.hstack([linear, 2 * np.pi * slope[:, None] * place])
    return columns, _solved(columns, dark)


def _shading(place: Plane) -> Plane:
    """Products of powers of the place up to `SHADING_DEGREE`, shape (n, 15)."""
    x, y = (place / np.abs(place).max(axis=0)).T
    degrees = range(SHADING_DEGREE + 1)
    return np.stack([x**i * y**j for i in degrees for j in degrees if i + j <= SHADING_DEGREE], axis=1)


def _applied(columns: Plane, weights: Plane) -> Plane:
    # Not `@`: on matrices as tall as these the threads of a linear-algebra library cost more than they save.
    return np.asarray(np.einsum("ij,j->i", columns, weights))


def _solved(columns: Plane, values: Plane) -> Plane:
    """The weights of the columns that come nearest to the values."""
    size = np.sqrt((columns**2).sum(axis=0))
    products = cv2.mulTransposed(np.column_stack([columns / size, values]), aTa=True)
    return np.asarray(np.linalg.solve(products[:-1, :-1], products[:-1, -1]) / size)


def _spread(columns: Plane, left: Plane, place: Plane) -> Plane:
    """Covariance of the weights when what is left over is alike within a block (Liang and Zeger 1986).

    Dirt and blur reach over many pixels; to count each of them as a witness of its own would promise too much.
    """
    share = (place - place.min(axis=0)) / np.ptp(place, axis=0)
    row_col = np.minimum((share * BLOCKS).astype(np.intp), BLOCKS - 1)
    block = row_col[:, 1] * BLOCKS + row_col[:, 0]
    pulls = np.stack([(columns[block == one] * left[block == one, None]).sum(axis=0) for one in range(BLOCKS**2)])
    size = np.sqrt((columns**2).sum(axis=0))
    inverse = np.linalg.inv(cv2.mulTransposed(columns / size, aTa=True)) / np.outer(size, size)
    return np.asarray(inverse @ (pulls.T @ pulls) @ inverse)
