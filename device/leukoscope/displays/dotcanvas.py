"""A one-bit picture to write on in dot-matrix letters."""

from dataclasses import dataclass

from PIL import Image, ImageDraw

from leukoscope.displays import dots


@dataclass(frozen=True, slots=True)
class PlacedText:
    """Where a text lies, half-open, in pixels."""

    text: str
    left: int
    top: int
    right: int
    bottom: int


class DotCanvas:
    """A one-bit picture that remembers where its texts lie."""

    def __init__(self, size: tuple[int, int], more: str = "+{count} more") -> None:
        self.image = Image.new("1", size)
        self.placed: list[PlacedText] = []
        self.more = more
        """What stands for the lines that are left out."""
        self._draw = ImageDraw.Draw(self.image)

    def text(self, left: int, top: int, text: str, room: int, *, scale: int = 1, dark: bool = False) -> int:
        """Write from `left` into `room` pixels, cut short when it does not fit; returns its width."""
        fitting = dots.shortened(text, room, scale)
        if not fitting:
            return 0
        wide = dots.width(fitting, scale)
        self._draw.bitmap((left, top), dots.stencil(fitting, scale), fill=0 if dark else 1)
        self.placed.append(PlacedText(fitting, left, top, left + wide, top + dots.HEIGHT * scale))
        return wide

    def text_right(self, right: int, top: int, text: str, room: int, *, dark: bool = False) -> int:
        """Write so that the text ends before column `right`; returns its width."""
        fitting = dots.shortened(text, room)
        return self.text(right - dots.width(fitting), top, fitting, room, dark=dark)

    def block(self, left: int, top: int, width: int, height: int) -> None:
        """A filled rectangle; nothing where it has no area."""
        if width > 0 and height > 0:
            self._draw.rectangle((left, top, left + width - 1, top + height - 1), fill=1)

    def bar(self, left: int, top: int, width: int, height: int, share: float) -> None:
        """A progress bar with a frame, filled to `share` (0-1)."""
        self._draw.rectangle((left, top, left + width - 1, top + height - 1), outline=1)
        # Never full before it is.
        filled = width - 4 if share >= 1 else min(width - 7, round((width - 4) * share))
        self.block(left + 2, top + 2, filled, height - 4)
