"""Where on the slide a field lies, as far as the pictures tell."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """The upper left corner of a picture on the slide."""

    patch: int
    """Places of one patch lie at known distances from each other; between two patches tracking was lost."""
    row: float
    col: float
    """Pixels of the picture from the corner of the patch's first field."""

    def moved(self, rows: float, cols: float) -> "Place":
        """A place so many pixels further down and to the right."""
        return Place(self.patch, self.row + rows, self.col + cols)
