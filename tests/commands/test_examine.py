import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from leukoscope.analysis.features import measure_features
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.cameras.pictures import read_picture
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.simulation.microscope import VisibleCell
from leukoscope.system.assets import find_asset
from tests.commands.command_line import leukoscope, simulated_pictures
from tests.drawings import micrograph_of

SCALE = ("--um-per-px", "0.127")


@pytest.fixture(scope="module")
def fields(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, tuple[VisibleCell, ...]]]:
    return list(simulated_pictures(tmp_path_factory.mktemp("fields"), 3))


@pytest.fixture(scope="module")
def entries(fields: list[tuple[Path, tuple[VisibleCell, ...]]]) -> list[dict[str, Any]]:
    outcome = leukoscope("examine", *(path for path, _ in fields), *SCALE, "--json")
    assert outcome.code == 0, outcome.err
    return [json.loads(line) for line in outcome.out.splitlines()]


def _iou(one: Sequence[float], other: Sequence[float]) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0) * max(height, 0)
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return shared / (areas - shared)


def test_every_line_keeps_the_contract(
    entries: list[dict[str, Any]], fields: list[tuple[Path, tuple[VisibleCell, ...]]]
) -> None:
    assert [entry["picture"] for entry in entries] == [str(path) for path, _ in fields]
    for entry in entries:
        assert list(entry) == ["picture", "um_per_px", "flaws", "counts", "cells", "ms"]
        assert entry["um_per_px"] == 0.127
        assert list(entry["ms"]) == ["read", "correct", "gate", "segment", "name", "total"]
        assert entry["ms"]["total"] >= entry["ms"]["segment"] > 0
        for kind, count in entry["counts"].items():
            assert count == sum(cell["kind"] == kind for cell in entry["cells"])
        for cell in entry["cells"]:
            assert list(cell) == [
                "kind",
                "class",
                "confidence",
                "suspect",
                "bbox",
                "area_um2",
                "diameter_um",
                "touches_border",
            ]
            xmin, ymin, xmax, ymax = cell["bbox"]
            assert 0 <= xmin < xmax <= 640
            assert 0 <= ymin < ymax <= 480


OF_EVERY_CELL = {"area_um2", "perimeter_um", "circularity", "eccentricity", "solidity", "equivalent_diameter_um"}
OF_WHITE_CELLS = {"nucleus_area_um2", "nc_ratio", "nucleus_lobes", "nucleus_od_red", "cytoplasm_granularity"}


def test_features_are_printed_when_asked_for_and_change_nothing_else(
    entries: list[dict[str, Any]], fields: list[tuple[Path, tuple[VisibleCell, ...]]]
) -> None:
    outcome = leukoscope("examine", *(path for path, _ in fields), *SCALE, "--json", "--features")
    white = 0
    for line, without in zip(outcome.out.splitlines(), entries, strict=True):
        entry = json.loads(line)
        measured = [cell.pop("features") for cell in entry["cells"]]
        assert entry["cells"] == without["cells"]
        assert list(entry) == list(without)
        for cell, features in zip(entry["cells"], measured, strict=True):
            assert all(isinstance(value, int | float) and np.isfinite(value) for value in features.values())
            assert features["area_um2"] == pytest.approx(cell["area_um2"], abs=0.001)
            if cell["kind"] == "wbc":
                white += features.keys() >= OF_EVERY_CELL | OF_WHITE_CELLS
                assert features["nucleus_area_um2"] <= features["area_um2"]
            else:
                assert features.keys() == OF_EVERY_CELL
    assert white > 0


def test_features_without_json_are_refused(fields: list[tuple[Path, tuple[VisibleCell, ...]]]) -> None:
    outcome = leukoscope("examine", fields[0][0], *SCALE, "--features")
    assert outcome.code == 2
    assert "--json" in outcome.err


def test_measuring_a_field_takes_little_time(fields: list[tuple[Path, tuple[VisibleCell, ...]]]) -> None:
    bundle = Bundle.read(find_asset("models", "segmenter"))
    micrograph = micrograph_of(read_picture(fields[0][0]), 0.127)
    cells = Segmenter(bundle, OnnxSettings(threads=1).open(bundle)).find_cells(micrograph)
    times = []
    for _ in range(7):
        begin = time.thread_time()
        measure_features(micrograph, cells)
        times.append(time.thread_time() - begin)
    # 10 ms is the budget of a field; twice that allows for a slow machine.
    assert min(times) < 0.020


@pytest.mark.parametrize(("kind", "wanted"), [("rbc", 0.85), ("wbc", 0.8)])
def test_most_simulated_cells_are_found_where_they_are(
    entries: list[dict[str, Any]],
    fields: list[tuple[Path, tuple[VisibleCell, ...]]],
    kind: str,
    wanted: float,
) -> None:
    matched = total = 0
    for entry, (_, truth) in zip(entries, fields, strict=True):
        found = [cell["bbox"] for cell in entry["cells"] if cell["kind"] == kind]
        there = [cell.box.as_xyxy() for cell in truth if cell.kind.value == kind]
        matched += sum(any(_iou(box, other) >= 0.5 for other in found) for box in there)
        total += len(found) + len(there)
    assert 2 * matched / total >= wanted


def test_red_cells_have_the_diameter_they_were_made_with(entries: list[dict[str, Any]]) -> None:
    diameters = [
        cell["diameter_um"]
        for entry in entries
        for cell in entry["cells"]
        if cell["kind"] == "rbc" and not cell["touches_border"]
    ]
    assert np.median(diameters) == pytest.approx(7.2, rel=0.08)


def test_the_label_image_holds_every_cell_under_its_number(
    fields: list[tuple[Path, tuple[VisibleCell, ...]]], tmp_path: Path
) -> None:
    picture = fields[0][0]
    outcome = leukoscope("examine", picture, *SCALE, "--json", "--mask-dir", tmp_path)
    cells = json.loads(outcome.out)["cells"]
    labels = cv2.imread(str(tmp_path / "field-1.png"), cv2.IMREAD_UNCHANGED)
    assert labels is not None
    assert labels.dtype == np.uint16
    assert labels.shape == (480, 640)
    assert labels.max() <= len(cells)
    for place, cell in enumerate(cells, start=1):
        rows, cols = np.nonzero(labels == place)
        xmin, ymin, xmax, ymax = cell["bbox"]
        assert len(rows) * 0.127**2 == pytest.approx(cell["area_um2"], abs=0.001)
        assert xmin <= cols.min() and cols.max() < xmax and ymin <= rows.min() and rows.max() < ymax


def test_both_engines_reach_the_same_decisions(
    entries: list[dict[str, Any]], fields: list[tuple[Path, tuple[VisibleCell, ...]]]
) -> None:
    outcome = leukoscope("examine", fields[0][0], *SCALE, "--json", "--engine", "litert")
    other = json.loads(outcome.out)
    same = sum(
        any(one["class"] == cell["class"] and _iou(one["bbox"], cell["bbox"]) > 0.7 for one in other["cells"])
        for cell in entries[0]["cells"]
    )
    assert same >= 0.97 * max(len(entries[0]["cells"]), len(other["cells"]))


def test_a_blurred_field_lists_its_cells_and_names_its_flaw(
    fields: list[tuple[Path, tuple[VisibleCell, ...]]], tmp_path: Path
) -> None:
    blurred = tmp_path / "blurred.png"
    cv2.imwrite(str(blurred), cv2.GaussianBlur(np.asarray(cv2.imread(str(fields[0][0]))), (0, 0), 9))
    (entry,) = map(json.loads, leukoscope("examine", blurred, *SCALE, "--json").out.splitlines())
    assert entry["flaws"] == ["out_of_focus"]
    assert "cells" in entry


@pytest.mark.parametrize("bad", ["empty.jpg", "words.jpg", "truncated.png", "huge.png", "missing.png"])
def test_a_bad_picture_gets_one_line_and_the_rest_go_on(
    fields: list[tuple[Path, tuple[VisibleCell, ...]]], tmp_path: Path, bad: str
) -> None:
    good = fields[0][0]
    if bad == "empty.jpg":
        (tmp_path / bad).touch()
    elif bad == "words.jpg":
        (tmp_path / bad).write_text("this is no picture")
    elif bad == "truncated.png":
        (tmp_path / bad).write_bytes(good.read_bytes()[:20_000])
    elif bad == "huge.png":
        Image.new("1", (20_000, 20_000)).save(tmp_path / bad)
    outcome = leukoscope("examine", tmp_path / bad, good, *SCALE, "--json")
    assert outcome.code == 2
    assert [json.loads(line)["picture"] for line in outcome.out.splitlines()] == [str(good)]
    assert len(outcome.err.splitlines()) == 1
    assert bad in outcome.err


@pytest.mark.parametrize("mode", ["1", "L", "LA", "RGBA", "P", "I;16"])
def test_pictures_of_every_depth_are_examined(
    fields: list[tuple[Path, tuple[VisibleCell, ...]]], tmp_path: Path, mode: str
) -> None:
    path = tmp_path / "picture.png"
    with Image.open(fields[0][0]) as picture:
        if mode == "I;16":
            deep = np.asarray(picture.convert("L")).astype(np.uint16) * 257
            Image.fromarray(deep).save(path)
        else:
            picture.convert(mode).save(path)
    outcome = leukoscope("examine", path, *SCALE, "--json")
    assert outcome.code == 0, outcome.err
    if mode != "1":
        assert json.loads(outcome.out)["counts"]["rbc"] > 20


def test_a_folder_or_a_pattern_without_pictures_is_an_error_and_the_rest_goes_on(
    fields: list[tuple[Path, tuple[VisibleCell, ...]]], tmp_path: Path
) -> None:
    outcome = leukoscope("examine", tmp_path, tmp_path / "*.png", fields[0][0], *SCALE)
    assert outcome.code == 2
    folder, pattern = outcome.err.splitlines()
    assert "holds no picture" in folder
    assert "no picture at" in pattern
    assert len(outcome.out.splitlines()) == 1


def test_a_glob_is_expanded_and_nothing_but_json_is_on_standard_output(
    fields: list[tuple[Path, tuple[VisibleCell, ...]]],
) -> None:
    outcome = leukoscope("examine", fields[0][0].parent / "*.png", *SCALE, "--json")
    assert len([json.loads(line) for line in outcome.out.splitlines()]) == 3


def test_a_bundle_that_is_not_there_is_named() -> None:
    outcome = leukoscope("examine", "x.png", *SCALE, "--segmenter", "no-such-bundle")
    assert outcome.code == 2
    assert "no-such-bundle" in outcome.err
    assert "Traceback" not in outcome.err


def test_label_images_of_two_pictures_of_one_name_are_not_mixed_up(
    fields: list[tuple[Path, tuple[VisibleCell, ...]]], tmp_path: Path
) -> None:
    picture, twin = fields[0][0], tmp_path / fields[0][0].name
    twin.write_bytes(fields[1][0].read_bytes())
    masks = tmp_path / "masks"
    for _ in range(2):  # a second run replaces what the first one wrote
        outcome = leukoscope("examine", picture, twin, *SCALE, "--json", "--mask-dir", masks)
        assert outcome.code == 2
        assert len(outcome.out.splitlines()) == 2
        assert "another picture of this run" in outcome.err


def test_a_label_folder_that_cannot_be_one_is_told_before_anything_is_examined(
    fields: list[tuple[Path, tuple[VisibleCell, ...]]], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    outcome = leukoscope("examine", fields[0][0], *SCALE, "--json", "--mask-dir", tmp_path / "file")
    assert outcome.code == 2
    assert outcome.out == ""
    assert "label images need a folder" in outcome.err
