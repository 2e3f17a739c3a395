"""`leukoscope differential`: a contract that other programs read."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from leukoscope.statistics.intervals import clopper_pearson
from tests.commands.command_line import leukoscope, simulated_pictures

CLASSES = ("segmented", "lymphocyte", "monocyte", "eosinophil", "blast", "plasma", "smudge", "unsure")


def line(name: str, **more: object) -> str:
    return json.dumps({"picture": f"{name}.png", "class": name, "confidence": 0.9, "probabilities": {}, **more})


def written(folder: Path, *lines: str, name: str = "cells.jsonl") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def report(*arguments: object) -> dict[str, Any]:
    outcome = leukoscope("differential", "--json", *arguments)
    assert outcome.code == 0, outcome.err
    (only,) = outcome.out.splitlines()
    found: dict[str, Any] = json.loads(only)
    return found


def codes(found: dict[str, Any]) -> dict[str, str]:
    return {one["code"]: one["certainty"] for one in found["findings"]}


def test_the_object_has_the_keys_of_the_contract_and_no_other(tmp_path: Path) -> None:
    cells = [line("segmented")] * 70 + [line("lymphocyte")] * 40 + [line("unsure")] * 3 + [line("smudge")]
    found = report(written(tmp_path, *cells))
    assert list(found) == ["white_cells", "unsure", "differential", "corrected", "findings"]
    assert (found["white_cells"], found["unsure"], found["corrected"]) == (110, 3, None)
    assert all(list(one) == ["class", "count", "share", "low", "high"] for one in found["differential"])
    segmented = next(one for one in found["differential"] if one["class"] == "segmented")
    low, high = clopper_pearson(70, 110)
    assert segmented == {"class": "segmented", "count": 70, "share": 70 / 110, "low": low, "high": high}
    assert all(list(one) == ["code", "certainty", "words"] for one in found["findings"])


def test_several_files_and_standard_input_are_counted_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = written(tmp_path, *[line("segmented")] * 60, name="one.jsonl")
    two = written(tmp_path, "", *[line("monocyte")] * 50, name="two.jsonl")
    monkeypatch.setattr(sys, "stdin", io.StringIO(one.read_text("utf-8") + two.read_text("utf-8")))
    assert report(one, two) == report()


def test_suspects_that_normal_cells_do_not_explain_are_likely_without_a_single_named_blast(tmp_path: Path) -> None:
    cells = [line("lymphocyte", suspect=["blast"])] * 24 + [line("segmented", suspect=[])] * 176
    found = report(written(tmp_path, *cells))
    assert codes(found)["blast_suspects"] == "likely"
    words = next(one["words"] for one in found["findings"] if one["code"] == "blast_suspects")
    assert "24 suspect beside 0 named of 200 cells" in words
    # 30 % malignant cells of a hospital not seen, of which a quarter is suspect, and of normal cells none.
    quarter = report(written(tmp_path, *cells[9:], *[line("segmented")] * 9))
    assert codes(quarter)["blast_suspects"] == "likely"
    few = report(written(tmp_path, *cells[18:]))
    assert codes(few)["blast_suspects"] == "cannot_be_excluded"


def test_marrow_is_judged_by_its_own_classes_and_rules(tmp_path: Path) -> None:
    cells = [line("segmented")] * 300 + [line("polychromatic_normoblast")] * 100 + [line("myelocyte")] * 150
    found = report(written(tmp_path, *cells), "--mode", "marrow")
    assert {"me_ratio_high", "maturation"} & set(codes(found)) or "me_ratio" in codes(found)
    assert "polychromatic_normoblast" in {one["class"] for one in found["differential"]}


def test_examined_fields_are_counted_by_their_whole_white_cells(tmp_path: Path) -> None:
    pictures = [str(path) for path, _ in simulated_pictures(tmp_path / "fields", 3)]
    examined = leukoscope("examine", "--json", "--um-per-px", 0.2, *pictures)
    lines = [json.loads(one) for one in examined.out.splitlines()]
    whole = [
        cell["class"]
        for look in lines
        for cell in look["cells"]
        if cell["kind"] == "wbc" and not cell["touches_border"]
    ]
    found = report(written(tmp_path, examined.out))
    in_differential = {one["class"]: one["count"] for one in found["differential"] if one["count"]}
    assert found["white_cells"] == sum(in_differential.values()) > 0
    for name, count in in_differential.items():
        assert whole.count(name) == count


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("not json", "line 2 is no JSON"),
        ('{"picture": "a.png"}', "line 2 is no line of classify --json or examine --json"),
        ('{"class": 7}', "line 2 is no line"),
        ('{"class": "hairy"}', "line 2 names hairy, which this classifier cannot"),
        ('{"cells": [{"kind": "wbc"}], "picture": "a", "flaws": []}', "cells.0.class is missing"),
        ("[1]", "line 2 is no line"),
    ],
)
def test_a_line_of_something_else_is_refused_with_its_place(tmp_path: Path, text: str, complaint: str) -> None:
    outcome = leukoscope("differential", "--json", written(tmp_path, line("segmented"), text))
    assert (outcome.code, outcome.out) == (2, "")
    assert complaint in outcome.err


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    outcome = leukoscope("differential", tmp_path / "none.jsonl")
    assert outcome.code == 2
    assert "none.jsonl cannot be read" in outcome.err


def test_no_cells_at_all_are_an_answer(tmp_path: Path) -> None:
    found = report(written(tmp_path))
    assert (found["white_cells"], found["corrected"]) == (0, None)
    assert "too_few_cells" in codes(found)


def test_the_table_for_people_says_why_nothing_is_corrected(tmp_path: Path) -> None:
    outcome = leukoscope("differential", written(tmp_path, *[line("segmented")] * 120))
    assert outcome.code == 0
    assert "not corrected: this bench is not verified" in outcome.out
