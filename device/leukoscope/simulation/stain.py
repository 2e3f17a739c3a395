"""Romanowsky stain as optical density: which dye a structure binds, and what colour that makes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from leukoscope.simulation.noise import Random

Image = NDArray[np.float32]
"""A plane of shape (rows, cols), or a colour plane of shape (rows, cols, 3)."""


@dataclass(frozen=True, slots=True)
class Dye:
    """How much of each dye a structure binds; 1 is the amount that gives the dye's own vector."""

    eosin: float = 0.0
    """Pink and orange: red-cell protein, eosinophil granules."""
    azure: float = 0.0
    """The purple azure-B-eosin complex: chromatin, azurophil and basophil granules."""
    blue: float = 0.0
    """Methylene blue on RNA: basophilic cytoplasm."""
    haemoglobin: float = 0.0
    """The red cell's own pigment; absorbs blue light."""


_DYES = ("eosin", "azure", "blue", "haemoglobin")
# Optical density per unit of dye in the camera's (red, green, blue); fitted by eye and by the median colours
# of May-Gruenwald-Giemsa smears photographed through a 100x objective (nucleus of a segmented neutrophil
# 1.15, 1.87, 0.41; thick part of a red cell 0.24, 0.36, 0.21).
_DENSITY = np.array([[0.10, 0.62, 0.30], [0.62, 1.00, 0.22], [0.95, 0.55, 0.10], [0.03, 0.05, 0.10]], dtype=np.float64)


class Stain:
    """One slide's stain: the dyes' vectors after this slide's batch and timing."""

    def __init__(self, variation: float, rng: Random) -> None:
        strength = np.exp(rng.normal(0.0, variation, size=(4, 1)))
        hue = np.exp(rng.normal(0.0, variation / 3, size=(4, 3)))
        self._density = _DENSITY * strength * hue

    def colour(self, dye: Dye) -> NDArray[np.float32]:
        """Optical density (red, green, blue) of an amount of dye; shape (3,)."""
        amounts = np.array([getattr(dye, name) for name in _DYES])
        return np.asarray(amounts @ self._density, dtype=np.float32)


RED_CELL = Dye(eosin=0.35, blue=0.18, haemoglobin=0.9)
CHROMATIN = Dye(eosin=0.15, azure=1.6, blue=0.2)
NUCLEAR_SAP = Dye(eosin=0.6, azure=0.1)
PLATELET = Dye(eosin=0.08, azure=0.2, blue=0.1)
PLATELET_GRANULE = Dye(eosin=0.2, azure=0.75, blue=0.03)
