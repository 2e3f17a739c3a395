"""Locks what a V4L2 camera would otherwise choose by itself, and reads back whether it did."""

from typing import Protocol

import cv2

from leukoscope.errors import CameraUnavailable

_MANUAL, _AUTOMATIC = 1, 3
"""Values of V4L2_CID_EXPOSURE_AUTO: manual, and aperture priority (what webcams call automatic)."""
EXPOSURE_UNIT_US = 100
"""V4L2_CID_EXPOSURE_ABSOLUTE counts in 100 microseconds."""
TOLERANCE = 0.1
"""How far, as a share, a camera may round an exposure or a colour temperature."""


class Device(Protocol):
    """What is used of cv2.VideoCapture here."""

    def set(self, propId: int, value: float) -> bool:  # noqa: N803 (OpenCV's spelling)
        """Ask for a property; True where the driver accepted it."""

    def get(self, propId: int) -> float:  # noqa: N803
        """A property's value, 0 where it is unknown."""


class Wanted(Protocol):
    """What the settings of a V4L2 camera say about it."""

    @property
    def width(self) -> int:
        """Pixels across."""

    @property
    def height(self) -> int:
        """Pixels down."""

    @property
    def pixel_format(self) -> str | None:
        """Four letters, or None."""

    @property
    def exposure_us(self) -> int | None:
        """Microseconds, or None."""

    @property
    def white_balance_k(self) -> int | None:
        """Kelvin, or None."""


def lock_picture(device: Device, wanted: Wanted, place: str) -> None:
    """Set format and size.

    Raises:
        CameraUnavailable: the camera at `place` reads back another format or size.
    """
    if wanted.pixel_format is not None:
        device.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*wanted.pixel_format))
    device.set(cv2.CAP_PROP_FRAME_WIDTH, wanted.width)
    device.set(cv2.CAP_PROP_FRAME_HEIGHT, wanted.height)
    # Not every backend knows this one; the reading thread empties the queue anyway.
    device.set(cv2.CAP_PROP_BUFFERSIZE, 1)
    found = (int(device.get(cv2.CAP_PROP_FRAME_WIDTH)), int(device.get(cv2.CAP_PROP_FRAME_HEIGHT)))
    if found != (wanted.width, wanted.height):
        raise CameraUnavailable(
            f"the camera at {place} offers {found[0]}x{found[1]} pixels instead of {wanted.width}x{wanted.height}",
            "set `width` and `height` to a size it has",
        )
    if wanted.pixel_format is not None:
        # A format the camera lacks, or lacks at this size, is silently replaced by one it has.
        letters = int(device.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little").decode("ascii", "replace")
        if letters != wanted.pixel_format:
            raise CameraUnavailable(
                f"the camera at {place} offers pixel format {letters!r} instead of {wanted.pixel_format!r}",
                "set `pixel_format` to one that `v4l2-ctl --list-formats-ext` lists for this size",
            )


def lock_controls(device: Device, wanted: Wanted, place: str) -> None:
    """Lock exposure and white balance, or set them back to automatic where the settings name none.

    Raises:
        CameraUnavailable: the camera at `place` refuses, or reads back something else.
    """
    if wanted.exposure_us is None:
        device.set(cv2.CAP_PROP_AUTO_EXPOSURE, _AUTOMATIC)
    else:
        manual = device.set(cv2.CAP_PROP_AUTO_EXPOSURE, _MANUAL)
        units = round(wanted.exposure_us / EXPOSURE_UNIT_US)
        accepted = manual and device.set(cv2.CAP_PROP_EXPOSURE, units)
        held = accepted and device.get(cv2.CAP_PROP_AUTO_EXPOSURE) == _MANUAL
        found_us = device.get(cv2.CAP_PROP_EXPOSURE) * EXPOSURE_UNIT_US if held else None
        _refuse_other(place, "exposure", "exposure_us", wanted.exposure_us, found_us, "us")
    if wanted.white_balance_k is None:
        device.set(cv2.CAP_PROP_AUTO_WB, 1)
    else:
        fixed = device.set(cv2.CAP_PROP_AUTO_WB, 0)
        accepted = fixed and device.set(cv2.CAP_PROP_WB_TEMPERATURE, wanted.white_balance_k)
        held = accepted and device.get(cv2.CAP_PROP_AUTO_WB) == 0
        found_k = device.get(cv2.CAP_PROP_WB_TEMPERATURE) if held else None
        _refuse_other(place, "white balance", "white_balance_k", wanted.white_balance_k, found_k, "K")


def _refuse_other(place: str, what: str, key: str, wanted: int, found: float | None, unit: str) -> None:
    if found is None:
        raise CameraUnavailable(
            f"the camera at {place} refuses a locked {what} of {wanted} {unit}",
            f"leave `{key}` out, or use a camera on which it can be set",
        )
    if abs(found - wanted) > TOLERANCE * wanted:
        raise CameraUnavailable(
            f"the camera at {place} locks its {what} at {found:g} {unit} instead of {wanted} {unit}",
            f"set `{key}` to what it offers",
        )
