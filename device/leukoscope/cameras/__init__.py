"""Cameras: whatever delivers frames. One file per driver, its settings beside it."""

from typing import Annotated

from pydantic import Field

from leukoscope.cameras.door import Camera
from leukoscope.cameras.gstreamer import GStreamerCameraSettings
from leukoscope.cameras.picamera import PiCameraSettings
from leukoscope.cameras.replay import ReplayCameraSettings
from leukoscope.cameras.simulated import SimulatedCameraSettings
from leukoscope.cameras.v4l2 import V4l2CameraSettings

CameraSettings = Annotated[
    PiCameraSettings | V4l2CameraSettings | GStreamerCameraSettings | ReplayCameraSettings | SimulatedCameraSettings,
    Field(discriminator="driver"),
]
"""The settings of any camera; `driver` says which."""

__all__ = ["Camera", "CameraSettings"]
