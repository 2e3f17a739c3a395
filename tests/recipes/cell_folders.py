"""Folder-per-class sets of simulated cells."""

from collections import Counter
from pathlib import Path

from PIL import Image

from leukoscope.simulation.microscope import MicroscopeSettings, SimulatedMicroscope
from leukoscope.simulation.smear import Smear, SmearSettings
from leukoscope.simulation.stage import Stage
from leukoscope.specimen.cell import CellKind

UM_PER_PX = 0.2
SLIDE_UM = 400.0


def make_cell_folder(folder: Path, classes: tuple[str, ...], each: int) -> Path:
    """`each` simulated white cells of every class, 24 µm of slide around each, by class and patient."""
    settings = MicroscopeSettings(width=120, height=120, um_per_px=UM_PER_PX, seed=3)
    smear = Smear(SmearSettings(seed=3, white_per_1000_rbc=150.0, differential=dict.fromkeys(classes, 1.0)))
    stage = Stage(lambda: 0.0)
    microscope = SimulatedMicroscope(smear, stage, settings)
    made: Counter[str] = Counter()
    for cell in smear.cells_in(0.0, 0.0, SLIDE_UM, SLIDE_UM):
        if cell.kind is not CellKind.WBC or made[cell.cell_class] == each:
            continue
        made[cell.cell_class] += 1
        stage.move_to(cell.x_um, cell.y_um)
        path = folder / cell.cell_class / f"patient-{made[cell.cell_class]}" / "cell.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(microscope.look()[0]).save(path)
    assert set(made.values()) == {each}, made
    return folder
