"""The segmenting network's grids: its scale, the points it speaks for and the planes it draws."""

UM_PER_PX = 0.25
STRIDE = 4
"""Pixels per grid point."""
BOX_UNIT_PX = 16.0
PLANES = ("any_cell", "white_cell", "nucleus")
TILE = (256, 336)
"""Height and width in pixels of the picture the deployed network takes."""
