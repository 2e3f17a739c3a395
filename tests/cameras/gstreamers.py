"""Whether GStreamer can be used here, for tests that need it."""

import shutil

from leukoscope.cameras.pipeline import INSTALL, PROGRAM

NO_GSTREAMER = "" if shutil.which(PROGRAM) else f"{PROGRAM} is not here: {INSTALL}"
"""Why not, or nothing."""
