"""What a network that left a laboratory out says of each cell is read back for the alarm budget."""

from pathlib import Path

import numpy as np
import pytest
import typer

from leukoscope.inference.bundle import Bundle
from leukoscope.specimen.cell import UNSURE
from leukoscope.system.assets import find_asset
from named_cells.left_out import cells_left_out

BUNDLE = Bundle.read(find_asset("models", "classifier"))
assert BUNDLE.manifest.classifier is not None
CLASSES = [one.key for one in BUNDLE.manifest.classifier.classes]


def kept(path: Path, classes: list[str]) -> Path:
    sure, torn = np.zeros(len(classes)), np.zeros(len(classes))
    sure[classes.index("blast")] = 1.0
    torn[[classes.index("eosinophil"), classes.index("basophil")]] = 0.5
    np.savez(
        path,
        collections=["cnmc", "pbc"],
        labels=["blast", "eosinophil"],
        groups=["patient 1", "picture 1"],
        classes=classes,
        probabilities=[sure, torn],
    )
    return path


def test_the_cells_of_each_laboratory_are_named_by_the_bundle_s_limits(tmp_path: Path) -> None:
    found = cells_left_out(kept(tmp_path / "kept.npz", CLASSES), "without cnmc", BUNDLE)
    assert {key: (one.laboratory, one.labels, one.groups, one.answers) for key, one in found.items()} == {
        "cnmc": ("cnmc, without cnmc", ("blast",), ("patient 1",), ("blast",)),
        "pbc": ("pbc, without cnmc", ("eosinophil",), ("picture 1",), (UNSURE,)),
    }


def test_a_network_with_other_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match="expected probabilities of"):
        cells_left_out(kept(tmp_path / "kept.npz", CLASSES[::-1]), "without cnmc", BUNDLE)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(typer.BadParameter, match=r"nothing\.npz"):
        cells_left_out(tmp_path / "nothing.npz", "without cnmc", BUNDLE)
