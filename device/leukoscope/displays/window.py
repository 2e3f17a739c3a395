"""A window on a desktop: the display enlarged, and beside it the field under the microscope."""

import os
from collections import deque
from typing import Any, Literal

from PIL import Image
from pydantic import Field

from leukoscope.displays.display import BaseDisplaySettings, DisplayDefaults
from leukoscope.displays.flow import wrapped
from leukoscope.displays.lettering import draw_text, printable, text_length
from leukoscope.displays.palette import MUTED
from leukoscope.displays.picture import fitted
from leukoscope.errors import DisplayError
from leukoscope.specimen.sample_id import UNREADABLE

_FRAME = 12
"""Dark border around and between the pictures, in pixels."""
_BACKDROP = (3, 5, 8)
_KEYS_PX, _KEYS_LINE, _KEYS_LINES = 14, 18, 2
"""The line about the keys: size of its letters, distance and number of its lines, in pixels."""
_MOST_KEYS = 512
"""Keys kept until the program asks for them: more than the longest id."""
CLOSED = "window closed"
"""What `pressed` reports when a person closes the window."""


class WindowSettings(BaseDisplaySettings):
    """A window drawn by pygame."""

    driver: Literal["window"] = "window"
    width: int = Field(default=320, ge=96, le=2048)
    """Pixels of the display, before it is enlarged."""
    height: int = Field(default=240, ge=32, le=2048)
    """Pixels of the display, before it is enlarged."""
    monochrome: bool = False
    """Draw as for a one-bit display."""
    scale: int = Field(default=2, ge=1, le=8)
    """Screen pixels per pixel of the display."""
    field_width: int = Field(default=640, ge=0, le=4096)
    """Screen pixels for the live micrograph at the left; 0 for a window without it."""

    def open(self) -> "Window":
        """Open the window.

        Raises:
            DisplayError: pygame is not installed, or there is no desktop to open a window on.
        """
        size = (self.width, self.height)
        return Window(size, self.monochrome, self.scale, self.field_width)


class Window(DisplayDefaults):
    """The display at the right, the micrograph at the left, and the keys pressed in the window."""

    def __init__(self, size: tuple[int, int], monochrome: bool, scale: int, field_width: int) -> None:
        os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
        try:
            import pygame
        except ImportError as error:
            raise DisplayError("the window display needs pygame-ce", 'pip install "leukoscope[desk]"') from error
        self._pygame = pygame
        self._size = size
        self._monochrome = monochrome
        enlarged = (size[0] * scale, size[1] * scale)
        left = _FRAME + (field_width + _FRAME if field_width else 0)
        self._glass = pygame.Rect((left, _FRAME), enlarged)
        self._field = pygame.Rect((_FRAME, _FRAME), (field_width, enlarged[1]))
        self._keys: deque[str] = deque()
        self.keys = self
        self.shows_field = field_width > 0
        self._closed = False
        try:
            pygame.display.init()
            self._foot = pygame.Rect(_FRAME, self._glass.bottom, self._glass.right - _FRAME, _KEYS_LINES * _KEYS_LINE)
            self._surface = pygame.display.set_mode((self._glass.right + _FRAME, self._foot.bottom + _FRAME))
            pygame.display.set_caption("leukoscope")
            self._surface.fill(_BACKDROP)
            pygame.display.flip()
        except pygame.error as error:
            raise DisplayError(
                f"no window can be opened ({error})",
                'on a board without a desktop choose driver = "lcd", "oled" or "snapshot"',
            ) from error

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the display in its own pixels."""
        return self._size

    @property
    def monochrome(self) -> bool:
        """True when drawn as for a one-bit display."""
        return self._monochrome

    def show(self, image: Image.Image) -> None:
        """Put the picture of the display into the window.

        Raises:
            DisplayError: the window is gone, or the picture has another size than `size`.
        """
        picture = fitted(image, self._size, self._monochrome)
        self._paint(picture.resize(self._glass.size, Image.Resampling.NEAREST), self._glass)

    def show_field(self, image: Image.Image) -> None:
        """Put a micrograph of any size beside the display, as large as fits; nothing without a field panel.

        Raises:
            DisplayError: the window is gone.
        """
        if not self._field.width:
            return
        scale = min(self._field.width / image.width, self._field.height / image.height)
        small = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        shrunk = image.convert("RGB").resize(small, Image.Resampling.BILINEAR, reducing_gap=2.0)
        panel = Image.new("RGB", self._field.size, _BACKDROP)
        panel.paste(shrunk, ((panel.width - small[0]) // 2, (panel.height - small[1]) // 2))
        self._paint(panel, self._field)

    def pressed(self) -> list[str]:
        """The keys pressed since the last call: characters, and names such as "space" or "left"; CLOSED if it was.

        A key pressed with Ctrl, Alt or AltGr is `UNREADABLE`: it is no letter, and no action either.

        Raises:
            DisplayError: the window is gone.
        """
        self._pump()
        keys = list(self._keys)
        self._keys.clear()
        return keys

    def show_keys(self, text: str) -> None:
        """Write below display and micrograph what the keys do.

        Raises:
            DisplayError: the window is gone.
        """
        foot = Image.new("RGB", self._foot.size, _BACKDROP)

        def shortened(line: str) -> str:
            while line and text_length(line, _KEYS_PX) > foot.width:
                line = line[:-1]
            return line

        for number, line in enumerate(wrapped(printable(text), shortened)[:_KEYS_LINES], start=1):
            draw_text(foot, (0, number * _KEYS_LINE), line, _KEYS_PX, MUTED, "ls")
        self._paint(foot, self._foot)

    def close(self) -> None:
        """Close the window; safe to call twice."""
        if not self._closed:
            self._closed = True
            self._pygame.display.quit()

    def _paint(self, picture: Image.Image, place: Any) -> None:
        self._pump()
        pygame = self._pygame
        try:
            pixels = pygame.image.frombytes(picture.convert("RGB").tobytes(), picture.size, "RGB")
            self._surface.blit(pixels, place)
            pygame.display.update(place)
        except pygame.error as error:
            raise DisplayError(f"the window cannot be drawn: {error}", "is the desktop still there?") from error

    def _pump(self) -> None:
        # The desktop calls a window dead that does not fetch its events.
        pygame = self._pygame
        if self._closed or not pygame.display.get_init():
            raise DisplayError("the window is closed", "start the program again to see it")
        for event in pygame.event.get():
            if event.type == pygame.KEYDOWN:
                self._press(self._key_of(event))
            elif event.type == pygame.QUIT:
                self._keys.append(CLOSED)

    def _key_of(self, event: Any) -> str:
        """The character as the layout of the keyboard has it; the name where it is none."""
        pygame = self._pygame
        name = str(pygame.key.name(event.key))
        if event.mod & (pygame.KMOD_CTRL | pygame.KMOD_ALT | pygame.KMOD_GUI | pygame.KMOD_MODE):
            # Names of more letters are those of keys that are no characters, the modifiers themselves among them.
            return UNREADABLE if len(name) == 1 or event.unicode else name
        return event.unicode if event.unicode.isprintable() and event.unicode.strip() else name

    def _press(self, key: str) -> None:
        if len(self._keys) < _MOST_KEYS:
            self._keys.append(key)
        else:
            # What is lost is seen as lost: the rest of an id would be another.
            self._keys[-1] = UNREADABLE
