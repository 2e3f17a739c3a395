"""The engines of networks, as the settings file names them.

Not in the room's `__init__`: the review page reads bundles, and an engine loads numpy, a seventh of its memory.
"""

from typing import Annotated

from pydantic import Field

from leukoscope.inference.litert import LitertSettings
from leukoscope.inference.onnx import OnnxSettings

EngineSettings = Annotated[OnnxSettings | LitertSettings, Field(discriminator="driver")]
"""The runtime that computes the networks, as the settings file names it."""
