import json
import shutil
import tomllib
from pathlib import Path

import pytest

import card
import pack
from leukoscope.analysis.golden import replay
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.bundle_files import HEAD, KNOWN
from leukoscope.inference.litert import LitertSettings
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.inference.validation import Validation
from leukoscope.system.assets import find_asset
from tables import folder_crops
from tests.recipes.cell_folders import UM_PER_PX, make_cell_folder
from vocabulary import Vocabulary

FACTS = Path(pack.__file__).with_name("classifier.toml")
LABELS = ("lymphocyte", "segmented")


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The shipped networks, packed anew and judged on simulated cells."""
    folder = tmp_path_factory.mktemp("pack")
    shipped, exported = find_asset("models", "classifier"), folder / "exported"
    exported.mkdir()
    for name in (*pack.NETWORKS.values(), HEAD, KNOWN):
        shutil.copy(shipped / name, exported / name)
    signature = {"litert": {"outputs": {"features": {"index": 0}}}}
    (exported / "signature.json").write_text(json.dumps(signature))
    crops = folder_crops(make_cell_folder(folder / "cells", LABELS, 40), UM_PER_PX, "val")
    facts = tomllib.loads(FACTS.read_text("utf-8"))
    return pack.pack_classifier(exported, facts, folder / "bundle", Vocabulary.read(FACTS), crops)


def test_a_packed_bundle_passes_its_golden_check_on_both_engines(packed: Bundle) -> None:
    for settings in (OnnxSettings(threads=1), LitertSettings(threads=1)):
        check = replay(packed, settings.open(packed))
        assert check.decisions > 5
        assert check.passed


def test_a_packed_bundle_knows_how_it_named_every_validation_cell(packed: Bundle) -> None:
    path = packed.validation_path()
    assert path is not None
    (matrix,) = Validation.read(path).matrices
    assert matrix.collection == "cells"
    assert matrix.held_out_by == "patient"
    assert matrix.truth == LABELS
    cells = sum(map(sum, matrix.counts))
    assert cells == 2 * sum(matrix.counts[0])
    right = sum(row[matrix.named.index(label)] for label, row in zip(matrix.truth, matrix.counts, strict=True))
    assert right > 0.5 * cells
    unsure = sum(row[matrix.named.index("unsure")] for row in matrix.counts)
    assert unsure <= 0.06 * cells


def test_training_facts_do_not_travel(packed: Bundle) -> None:
    manifest = tomllib.loads((packed.folder / "manifest.toml").read_text("utf-8"))
    assert "training" not in manifest
    assert manifest["classifier"]["temperature"] > 0


def test_a_card_keeps_what_a_person_wrote_around_the_figures(packed: Bundle) -> None:
    path = packed.folder / card.CARD
    path.write_text(f"# Ours\nby hand\n{card.BEGIN}\nold\n{card.END}\nalso by hand\n", "utf-8")
    card.write(packed, "new")
    assert path.read_text("utf-8") == f"# Ours\nby hand\n{card.BEGIN}\nnew\n{card.END}\nalso by hand\n"
    path.unlink()
    card.write(packed, "first")
    assert path.read_text("utf-8").startswith(f"# classifier {packed.manifest.version}\n")
    assert "first" in path.read_text("utf-8")
