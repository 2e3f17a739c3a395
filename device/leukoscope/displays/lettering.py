"""Text in Pillow's built-in font, which has no letters with accents: they are drawn over the plain ones."""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from PIL import Image, ImageChops, ImageDraw, ImageFont

from leukoscope.displays.palette import Colour

_DRAWN = frozenset(map(chr, range(ord(" "), ord("~") + 1))) | frozenset("…·±°")
_REPLACED = {"µ": "u", "μ": "u", "–": "-", "—": "-", "−": "-", "’": "'", "¿": "", "¡": ""}
_STROKES: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "\N{COMBINING ACUTE ACCENT}": (((-0.04, 0.03), (0.09, 0.15)),),
    "\N{COMBINING GRAVE ACCENT}": (((0.04, 0.03), (-0.09, 0.15)),),
    "\N{COMBINING CIRCUMFLEX ACCENT}": (((-0.11, 0.03), (0.0, 0.14), (0.11, 0.03)),),
    "\N{COMBINING TILDE}": (((-0.14, 0.05), (-0.06, 0.11), (0.06, 0.05), (0.14, 0.11)),),
    "\N{COMBINING DIAERESIS}": (((-0.1, 0.06), (-0.1, 0.09)), ((0.1, 0.06), (0.1, 0.09))),
}
"""Lines of each mark in font sizes: right of the letter's middle, and up from its top."""
_STROKE = 0.075
"""Thickness of a mark, in font sizes."""
_FINER = 4


@lru_cache(maxsize=64)
def font(pixels: int) -> ImageFont.FreeTypeFont:
    """The built-in font in a size; nothing under 8 pixels can be read."""
    loaded = ImageFont.load_default(max(8, pixels))
    if not isinstance(loaded, ImageFont.FreeTypeFont):
        raise TypeError("expected Pillow built with FreeType, as its wheels are; install Pillow from a wheel")
    return loaded


def printable(text: str) -> str:
    """The text in letters that can be drawn: other accents dropped, µ as u, the rest as "?"."""
    return "".join(map(_printable, unicodedata.normalize("NFC", text)))


def _printable(letter: str) -> str:
    if letter in _DRAWN:
        return letter
    if letter in _REPLACED:
        return _REPLACED[letter]
    plain = unicodedata.normalize("NFKD", letter)
    if len(plain) == 2 and plain[0] in _DRAWN and plain[1] in _STROKES:
        return letter
    kept = "".join(part for part in plain if not unicodedata.combining(part))
    return kept if kept and set(kept) <= _DRAWN else "?"


def plain(text: str) -> str:
    """A printable text without its accents, which takes the same room."""
    return "".join(unicodedata.normalize("NFD", letter)[0] for letter in text)


def text_length(text: str, pixels: int) -> float:
    """Width of a text in pixels."""
    return font(pixels).getlength(plain(printable(text)))


def draw_text(image: Image.Image, at: tuple[float, float], text: str, pixels: int, colour: Colour, anchor: str) -> None:
    """Write a printable text; `anchor` as Pillow names it, on the baseline ("ls", "ms", "rs")."""
    bare, letters = plain(text), font(pixels)
    draw = ImageDraw.Draw(image)
    if bare == text:
        draw.text(at, text, font=letters, fill=colour, anchor=anchor)
        return
    left, top, right, bottom = (round(edge) for edge in letters.getbbox(bare, anchor=anchor))
    above = max(2, pixels // 3)
    origin = (-left + 2, -top + above)
    mask = Image.new("L", (right - left + 4, bottom - top + above + 2))
    ImageDraw.Draw(mask).text(origin, bare, font=letters, fill=255, anchor=anchor)
    start = origin[0] - {"l": 0.0, "m": 0.5, "r": 1.0}[anchor[0]] * letters.getlength(bare)
    for index, mark in _marks(text):
        before, until = letters.getlength(bare[:index]), letters.getlength(bare[: index + 1])
        _add_mark(mask, mark, bare[index], (start + before, start + until, float(origin[1])), letters)
    image.paste(colour, (round(at[0]) - origin[0], round(at[1]) - origin[1]), mask)


def _marks(text: str) -> Iterator[tuple[int, str]]:
    for index, letter in enumerate(text):
        parts = unicodedata.normalize("NFD", letter)
        if len(parts) == 2:
            yield index, parts[1]


def _add_mark(
    mask: Image.Image, mark: str, letter: str, place: tuple[float, float, float], letters: ImageFont.FreeTypeFont
) -> None:
    """Draw a mark over a letter at `place`: its left and right edge and the baseline, in pixels."""
    left, right, baseline = place
    # The dot of an i gives way to its accent.
    top = baseline + letters.getbbox("x" if letter == "i" else letter, anchor="ls")[1]
    if letter == "i":
        mask.paste(0, (int(left), 0, int(right) + 1, max(0, int(top))))
    middle, size = (left + right) / 2, letters.size
    finer = Image.new("L", (mask.width * _FINER, mask.height * _FINER))
    draw = ImageDraw.Draw(finer)
    for stroke in _STROKES[mark]:
        points = [((middle + x * size) * _FINER, (top - y * size) * _FINER) for x, y in stroke]
        draw.line(points, fill=255, width=max(_FINER, round(_STROKE * size * _FINER)), joint="curve")
    mask.paste(ImageChops.lighter(mask, finer.reduce(_FINER)), (0, 0))
