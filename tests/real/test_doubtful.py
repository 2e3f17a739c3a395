"""What shows no cell to be counted does not pass for a normal one."""

import pytest

from evaluation.doubtful_table import Fate, doubtful_table
from evaluation.tables import data_folder
from leukoscope.analysis.classifier import Classifier
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.system.assets import find_asset

FEWEST = 30
"""Of fewer cells one says nothing about the share."""


def test_every_answer_has_one_fate() -> None:
    fate = Fate()
    for answer, own, is_white in (
        ("smudge", ("smudge",), False),
        ("unsure", ("smudge",), False),
        ("artefact", ("smudge",), False),
        ("lymphocyte", ("lymphocyte",), True),
        ("monocyte", ("lymphocyte",), True),
    ):
        fate.add(answer, own, is_white)
    assert (fate.cells, fate.own, fate.unsure, fate.set_aside, fate.white_right, fate.white_wrong) == (5, 1, 1, 1, 1, 1)


@pytest.mark.skipif(data_folder() is None, reason="the labelled pictures are not here: set LEUKOSCOPE_DATA")
def test_smudges_empty_windows_and_blurred_cells_are_hardly_ever_called_white_cells() -> None:
    data = data_folder()
    assert data is not None
    bundle = Bundle.read(find_asset("models", "classifier"))
    table = doubtful_table(Classifier(bundle, OnnxSettings().open(bundle)), "classifier", data, 0)
    columns = {str(column.header): list(column.cells) for column in table.columns}
    rows = {what: place for place, what in enumerate(columns["shown"])}
    wrongly = [float(str(share).rstrip("%")) for share in columns["a white cell, wrongly"]]
    rightly = [float(str(share).rstrip("%")) for share in columns["a white cell, rightly"]]
    assert rightly[rows["white cells as they are"]] > 75
    assert wrongly[rows["red cells and background"]] < 6
    assert wrongly[rows["white cells blurred by 1.4 µm"]] + rightly[rows["white cells blurred by 1.4 µm"]] < 2
    shown = [int(str(cells)) for cells in columns["cells"]]
    enough = [share for share, cells in zip(wrongly, shown, strict=True) if cells >= FEWEST]
    assert "smudge" in [what for what, place in rows.items() if shown[place] >= FEWEST]
    assert max(enough) < 15
