"""Nothing is changed: what the others are compared with."""

from methods.kinds import Preprocessing

METHOD = Preprocessing("nothing", "", lambda pixels, um_per_px: pixels)
