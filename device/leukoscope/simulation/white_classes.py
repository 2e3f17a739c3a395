"""What each white-cell class looks like: sizes from haematology textbooks, colours in amounts of dye."""

from collections.abc import Callable
from dataclasses import dataclass

from leukoscope.simulation import nuclei
from leukoscope.simulation.noise import Random
from leukoscope.simulation.shapes import Distance, Grid
from leukoscope.simulation.stain import Dye

NucleusBuilder = Callable[[Grid, float, Random], Distance]


@dataclass(frozen=True, slots=True)
class Granules:
    """Grains scattered through the cytoplasm."""

    dye: Dye
    per_um2: tuple[float, float]
    """Fewest and most per square micrometre of cell."""
    radius_um: float
    over_nucleus: float = 0.0
    """How strongly they show on top of the nucleus, 0-1."""


@dataclass(frozen=True, slots=True)
class WhiteClass:
    """Morphology of one class."""

    diameter_um: tuple[float, float]
    """Smallest and largest usual diameter in a smear."""
    nucleus: NucleusBuilder
    chromatin: float
    """Density of the chromatin; 1 is a segmented neutrophil's."""
    cytoplasm: Dye
    clumping: float = 0.36
    """Contrast of the chromatin's texture."""
    chromatin_grain_um: float = 0.55
    granules: tuple[Granules, ...] = ()
    nucleoli: tuple[int, int] = (0, 0)
    """Fewest and most pale nucleoli."""
    vacuoles: tuple[int, int] = (0, 0)
    """Fewest and most clear holes in the cytoplasm."""
    rim: float = 0.0
    """How much darker the cytoplasm is at the cell's edge."""
    raggedness_um: float = 0.25
    """How far the outline strays from a circle."""
    fading: bool = False
    """A burst cell: the nucleus frays out and there is no cell outline."""


_FINE = Granules(Dye(azure=0.28, eosin=0.05), (1.0, 2.6), 0.14)
_AZUROPHIL = Granules(Dye(azure=0.75, blue=0.1), (0.5, 1.9), 0.19, over_nucleus=0.3)
_NEUTROPHIL = Dye(eosin=0.2, azure=0.09, blue=0.05)

WHITE_CLASSES: dict[str, WhiteClass] = {
    "segmented": WhiteClass((12.0, 14.8), nuclei.segmented, 1.0, _NEUTROPHIL, granules=(_FINE,)),
    "band": WhiteClass((12.0, 15.0), nuclei.horseshoe, 0.99, _NEUTROPHIL, granules=(_FINE,)),
    "metamyelocyte": WhiteClass(
        (12.5, 16.0), nuclei.bean, 0.93, Dye(eosin=0.2, azure=0.14, blue=0.1), granules=(_FINE,)
    ),
    "myelocyte": WhiteClass(
        (13.0, 17.0),
        nuclei.round_in(0.66, 0.78, 0.3, 1.35),
        0.86,
        Dye(eosin=0.2, azure=0.2, blue=0.16),
        granules=(_FINE, Granules(_AZUROPHIL.dye, (0.2, 1.0), 0.17, over_nucleus=0.2)),
    ),
    "promyelocyte": WhiteClass(
        (15.0, 19.5),
        nuclei.round_in(0.70, 0.82, 0.25, 1.3),
        0.76,
        Dye(eosin=0.2, azure=0.24, blue=0.22),
        clumping=0.26,
        chromatin_grain_um=0.45,
        granules=(Granules(Dye(azure=0.75, blue=0.1), (1.2, 3.2), 0.19, over_nucleus=0.45),),
        nucleoli=(0, 2),
    ),
    "blast": WhiteClass(
        (13.5, 18.5),
        nuclei.round_in(0.82, 0.91, 0.12, 1.25),
        0.70,
        Dye(eosin=0.1, azure=0.22, blue=0.33),
        clumping=0.22,
        chromatin_grain_um=0.4,
        nucleoli=(1, 4),
        rim=0.5,
        raggedness_um=0.4,
    ),
    "monocyte": WhiteClass(
        (14.0, 18.5),
        nuclei.kidney,
        0.72,
        Dye(eosin=0.14, azure=0.2, blue=0.25),
        clumping=0.23,
        chromatin_grain_um=0.5,
        granules=(Granules(Dye(azure=0.3), (1.5, 3.5), 0.13),),
        vacuoles=(2, 18),
        raggedness_um=0.6,
    ),
    "lymphocyte": WhiteClass(
        (9.0, 12.0),
        nuclei.round_in(0.74, 0.90, 0.2, 1.2),
        1.1,
        Dye(eosin=0.1, azure=0.22, blue=0.3),
        clumping=0.2,
        chromatin_grain_um=0.8,
        rim=0.35,
        raggedness_um=0.4,
    ),
    "eosinophil": WhiteClass(
        (12.0, 15.5),
        nuclei.bilobed,
        0.92,
        Dye(eosin=0.15, azure=0.1, blue=0.05, haemoglobin=0.3),
        granules=(Granules(Dye(eosin=0.6, azure=0.1, haemoglobin=2.0), (3.2, 4.6), 0.32, over_nucleus=0.08),),
    ),
    "basophil": WhiteClass(
        (11.0, 14.0),
        nuclei.bean,
        0.75,
        Dye(eosin=0.2, azure=0.25, blue=0.08),
        granules=(Granules(Dye(azure=1.2, blue=0.3), (1.8, 2.8), 0.34, over_nucleus=0.6),),
        raggedness_um=0.4,
    ),
    "erythroblast": WhiteClass(
        (8.0, 11.0),
        nuclei.round_in(0.55, 0.70, 0.22, 1.06),
        0.95,
        Dye(eosin=0.33, azure=0.14, blue=0.3, haemoglobin=0.5),
        clumping=0.28,
        chromatin_grain_um=0.9,
        rim=0.1,
    ),
    "smudge": WhiteClass(
        (11.0, 17.0),
        nuclei.round_in(0.72, 0.86, 0.1, 1.4),
        0.62,
        Dye(azure=0.08, blue=0.03),
        clumping=0.28,
        chromatin_grain_um=0.8,
        raggedness_um=0.5,
        fading=True,
    ),
}
"""Every white-cell class the simulation can draw, by class key."""
