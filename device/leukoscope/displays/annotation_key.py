"""The strip below an annotated field: what each colour means, and a scale bar."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

HEIGHT = 34
"""Of the strip, pixels."""
_LENGTHS_UM = (100, 50, 20, 10, 5, 2, 1)
_PAPER, _INK = (255, 255, 255), (0, 0, 0)
_MARGIN, _SWATCH = 8, 16


def with_key(
    picture: Image.Image, um_per_px: float, meanings: Sequence[tuple[str, tuple[int, int, int], int]]
) -> Image.Image:
    """The picture over a strip that explains it; nothing of the picture is covered.

    Args:
        picture: an annotated field.
        um_per_px: micrometres per pixel of this picture, as enlarged.
        meanings: words, colour and thickness of each kind of outline.
    """
    whole = Image.new("RGB", (picture.width, picture.height + HEIGHT), _PAPER)
    whole.paste(picture, (0, 0))
    draw, font = ImageDraw.Draw(whole), ImageFont.load_default(14)
    middle = picture.height + HEIGHT // 2
    length_um, length_px = scale_bar(um_per_px, picture.width)
    said = f"{length_um} um"
    bar_left = picture.width - _MARGIN - length_px
    draw.rectangle((bar_left, middle + 5, bar_left + length_px - 1, middle + 8), fill=_INK)
    draw.text((bar_left + length_px / 2, middle + 1), said, font=font, fill=_INK, anchor="ms")
    room = bar_left - max(0, (font.getlength(said) - length_px) / 2) - _MARGIN
    left = float(_MARGIN)
    for words, colour, thickness in meanings:
        text_left = left + _SWATCH + 5
        if text_left + font.getlength(words) > room:
            break
        draw.rectangle((left, middle - 6, left + _SWATCH, middle + 6), outline=colour, width=thickness)
        draw.text((text_left, middle), words, font=font, fill=_INK, anchor="lm")
        left = text_left + font.getlength(words) + 2 * _MARGIN
    return whole


def scale_bar(um_per_px: float, width_px: int) -> tuple[int, int]:
    """Length of a scale bar in micrometres and in pixels: the longest round one within a fifth of the width."""
    length_um = next((um for um in _LENGTHS_UM if um / um_per_px <= width_px / 5), _LENGTHS_UM[-1])
    return length_um, max(1, round(length_um / um_per_px))
