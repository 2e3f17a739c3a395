"""Drawing is pure: a screen and a size in, a picture out."""

from PIL import Image

from leukoscope.displays.colour import draw_colour
from leukoscope.displays.compact import draw_compact
from leukoscope.displays.language import ENGLISH, Words
from leukoscope.displays.palette import GROUND, TEXT
from leukoscope.displays.state import Screen

SMALLEST = (96, 32)
"""Width and height below which nothing useful can be said."""
_ROOMY = 200
"""Both sides of a colour display must reach this for outline fonts to be legible."""


def draw(screen: Screen, size: tuple[int, int], monochrome: bool, words: Words = ENGLISH) -> Image.Image:
    """The screen as a picture of exactly `size` (width, height), mode "1" or "RGB".

    The same screen, size and words give the same picture on every machine, up to the rendering of letters by
    the FreeType in use. Designed for 128x64 monochrome, 240x240 and 320x240 colour; other sizes get
    the nearest of these layouts.

    Raises:
        ValueError: the display is smaller than SMALLEST.
    """
    if size[0] < SMALLEST[0] or size[1] < SMALLEST[1]:
        raise ValueError(f"expected a display of at least {SMALLEST[0]}x{SMALLEST[1]} pixels, found {size}")
    if not monochrome and min(size) >= _ROOMY:
        return draw_colour(screen, size, words)
    picture = draw_compact(screen, size, words)
    if monochrome:
        return picture
    tinted = Image.new("RGB", size, GROUND)
    tinted.paste(TEXT, (0, 0), picture)
    return tinted
