"""What every display promises."""

from collections.abc import Sequence
from typing import ClassVar, Protocol

from PIL.Image import Image

from leukoscope.schema import FrozenModel


class BaseDisplaySettings(FrozenModel):
    """What the settings of every display say beside how it is opened."""

    in_terminal: ClassVar[bool] = False
    """True where it is drawn in the terminal, which nothing else may write to then."""


class Keys(Protocol):
    """A part of the desktop that keys are pressed in."""

    def pressed(self) -> Sequence[str]:
        """Names of the keys pressed since the last call, oldest first.

        Raises:
            DisplayError: it is gone.
        """

    def show_keys(self, text: str) -> None:
        """Show beside the display what the keys do.

        Raises:
            DisplayError: it is gone.
        """


class Display(Protocol):
    """A display that is open."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""

    @property
    def monochrome(self) -> bool:
        """True for a one-bit display."""

    @property
    def keys(self) -> Keys | None:
        """The keys pressed in it; None for a display that takes none."""

    @property
    def shows_field(self) -> bool:
        """Whether there is a place for the live micrograph."""

    def show(self, image: Image) -> None:
        """Put a picture of exactly `size` on the display.

        Raises:
            DisplayError: the display stopped answering. The caller goes on without it.
        """

    def show_field(self, image: Image) -> None:
        """Show a micrograph of any size, where there is a place for it.

        Raises:
            DisplayError: as for `show`.
        """

    def close(self) -> None:
        """Clear and release the display; safe to call twice."""


class DisplayDefaults:
    """The answers of a display that shows screens and nothing else."""

    keys: Keys | None = None
    shows_field: bool = False

    def show_field(self, image: Image) -> None:
        """There is no place for it."""
