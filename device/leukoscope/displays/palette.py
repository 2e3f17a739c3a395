"""The colours of the display: light on dark, because the room around a microscope is dark."""

Colour = tuple[int, int, int]

GROUND: Colour = (9, 14, 22)
PANEL: Colour = (22, 30, 42)
EDGE: Colour = (52, 64, 80)
TEXT: Colour = (238, 243, 248)
MUTED: Colour = (148, 162, 178)
ACCENT: Colour = (72, 190, 214)
GOOD: Colour = (92, 205, 130)
CAUTION: Colour = (250, 186, 72)
BAD: Colour = (244, 98, 92)
