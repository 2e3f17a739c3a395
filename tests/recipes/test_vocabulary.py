from pathlib import Path

import pytest

from vocabulary import Vocabulary

RECIPES = Path(__file__).resolve().parents[2] / "models" / "recipes"
FACTS = """
[classifier]
classes = [{ key = "band" }, { key = "segmented" }, { key = "artefact" }]
[classifier.groups]
neutrophil = ["band", "segmented"]
[training.means]
neutrophil = ["band", "segmented"]
neutrophil_unspecified = ["segmented", "band"]
stab = ["band"]
cell = ["band", "artefact"]
macrophage = []
"""


@pytest.fixture
def vocabulary(tmp_path: Path) -> Vocabulary:
    path = tmp_path / "facts.toml"
    path.write_text(FACTS)
    return Vocabulary.read(path)


def test_a_coarse_label_may_mean_several_classes_and_another_none(vocabulary: Vocabulary) -> None:
    assert vocabulary.indices("segmented") == (1,)
    assert vocabulary.indices("neutrophil") == (0, 1)
    assert vocabulary.indices("macrophage") == ()
    assert vocabulary.group_of("band") == "neutrophil"
    assert vocabulary.group_of("artefact") == "artefact"


def test_a_label_is_counted_as_the_class_or_the_group_it_stands_for(vocabulary: Vocabulary) -> None:
    assert vocabulary.truth_of("band") == "band"
    assert vocabulary.truth_of("stab") == "band"
    assert vocabulary.truth_of("neutrophil") == "neutrophil"
    assert vocabulary.truth_of("neutrophil_unspecified") == "neutrophil"
    assert vocabulary.truth_of("cell") == "cell"


def test_what_is_said_of_a_laboratory_a_label_and_both_multiplies(tmp_path: Path) -> None:
    path = tmp_path / "facts.toml"
    path.write_text(FACTS + '[training.emphasis]\nours = 2.0\nband = 1.5\n"ours/band" = 3.0\n')
    vocabulary = Vocabulary.read(path)
    assert vocabulary.drawn("ours", "band") == pytest.approx(9.0)
    assert vocabulary.drawn("ours", "segmented") == 2.0
    assert vocabulary.drawn("theirs", "band") == 1.5
    assert vocabulary.drawn("theirs", "segmented") == 1.0
    assert vocabulary.never_drawn([("ours", "band"), ("theirs", "segmented")]) == set()
    assert vocabulary.never_drawn([("theirs", "band")]) == {"ours", "ours/band"}


def test_an_unknown_label_is_refused_and_told_where_to_explain_it(vocabulary: Vocabulary) -> None:
    with pytest.raises(ValueError, match=r"'plasma'.*training\.means"):
        vocabulary.indices("plasma")


def test_a_meaning_without_a_class_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "facts.toml"
    path.write_text(FACTS + 'plasma_cell = ["plasma"]\n')
    with pytest.raises(ValueError, match="'plasma_cell' is said to mean \\['plasma'\\]"):
        Vocabulary.read(path)


def test_a_suspected_class_without_its_share_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "facts.toml"
    path.write_text(FACTS + "\n[training.suspected]\nblast = 0.05\n")
    with pytest.raises(ValueError, match=r"expected a table with `share` for each class, found 0\.05"):
        Vocabulary.read(path)


@pytest.mark.parametrize("name", ["classifier", "marrow"])
def test_the_shipped_vocabularies_hold_together(name: str) -> None:
    vocabulary = Vocabulary.read(RECIPES / f"{name}.toml")
    grouped = [member for members in vocabulary.groups.values() for member in members]
    assert set(grouped) <= set(vocabulary.classes)
    assert len(grouped) == len(set(grouped))


def test_marrow_names_the_ten_stages_of_maturation() -> None:
    stages = {"blast", "promyelocyte", "myelocyte", "metamyelocyte", "band", "segmented"} | {
        f"{kind}blast" for kind in ("pronormo", "basophilic_normo", "polychromatic_normo", "orthochromatic_normo")
    }
    assert len(stages) == 10
    assert stages <= set(Vocabulary.read(RECIPES / "marrow.toml").classes)
