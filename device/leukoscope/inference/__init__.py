"""Model bundles and the engines that run them."""

from typing import Annotated

from pydantic import Field

from leukoscope.inference.litert import LitertSettings
from leukoscope.inference.onnx import OnnxSettings

EngineSettings = Annotated[OnnxSettings | LitertSettings, Field(discriminator="driver")]
"""The runtime that computes the networks, as the settings file names it."""
