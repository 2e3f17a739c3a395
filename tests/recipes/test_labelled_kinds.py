"""What a set of pictures does not label is unknown, not empty: made-up tables, drawn pictures."""

from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from evaluation.detection import DetectionScore
from evaluation.field_table import add_kind
from evaluation.outlines import read_masks
from evaluation.tables import read_fields
from scenes import ANY, CELLS, WHITE, Scene, boxed_scene, mosaic, white_cell_scene
from tables import KINDS, fields, masks
from tiles import cut_tile, labelled_places

RBC, WBC, PLATELET = range(len(KINDS))
GLASS, RED, WHITE_CELL, SPECK = (240, 235, 230), (215, 150, 155), (120, 80, 160), (150, 90, 160)
Row = tuple[str, int, int, int]
"""Label, middle in x and y, and radius, in pixels."""

MakeField = Callable[..., Path]


@pytest.fixture
def make_field(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeField:
    """Draws a picture of 200 x 200 pixels of a set, with a table of the first of its cells; returns the data folder."""
    monkeypatch.setenv("LEUKOSCOPE_DATA", str(tmp_path))
    (tmp_path / "fields").mkdir()
    (tmp_path / "fields" / "bccd.csv").write_text("image,label,xmin,ymin,xmax,ymax,split\n")

    def make(name: str, labelled: Sequence[Row], unlabelled: Sequence[Row], doubtful: Sequence[Row] = ()) -> Path:
        picture = np.full((200, 200, 3), GLASS, dtype=np.uint8)
        for label, x, y, radius in (*labelled, *unlabelled):
            colour = RED if label == "rbc" else SPECK if label == "platelet" else WHITE_CELL
            cv2.circle(picture, (x, y), radius, colour, cv2.FILLED)
        image = f"fields/{name}/one.png"
        (tmp_path / "fields" / name).mkdir()
        assert cv2.imwrite(str(tmp_path / image), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
        rows = [
            f"{image},{label},{x - r},{y - r},{x + r},{y + r},train,{flag}"
            for flag, group in ((0, labelled), (1, doubtful))
            for label, x, y, r in group
        ]
        lines = ["image,label,xmin,ymin,xmax,ymax,split,doubtful", *rows]
        (tmp_path / "fields" / f"{name}.csv").write_text("\n".join(lines) + "\n")
        return tmp_path

    return make


def scene_of(name: str) -> Scene:
    (field,) = fields(name, "train")
    return boxed_scene(field)


def known_at(scene: Scene, bit: int, x: int, y: int, um_per_px: float) -> bool:
    """Whether a bit of `known` is set at a point of the stored picture."""
    factor = um_per_px / scene.um_per_px
    return bool((scene.known[round(y * factor), round(x * factor)] >> bit) & 1)


def whole_tile_places(scene: Scene) -> NDArray[np.float32]:
    """Where each kind is known, in a tile that shows the whole scene."""
    return labelled_places(cut_tile(scene, np.random.default_rng(1), 400))


RED_CELLS: tuple[Row, ...] = (("rbc", 50, 50, 22), ("rbc", 140, 60, 22), ("rbc", 60, 150, 22))


def test_platelets_that_nobody_labelled_are_no_background(make_field: MakeField) -> None:
    make_field("aslan", [*RED_CELLS, ("wbc", 140, 140, 35)], [("platelet", 100, 20, 8)])
    scene = scene_of("aslan")
    assert scene.complete == {RBC, WBC}
    assert sorted(scene.kinds.tolist()) == [RBC, RBC, RBC, WBC]
    assert not known_at(scene, ANY, 100, 20, 0.134)
    assert known_at(scene, ANY, 100, 100, 0.134), "clear glass holds no cell of any kind"
    places = whole_tile_places(scene)
    assert places[[RBC, WBC]].min() == 1.0
    assert 0.0 < places[PLATELET].mean() < 1.0


def test_white_cells_that_nobody_labelled_are_no_background(make_field: MakeField) -> None:
    make_field("thesis", RED_CELLS, [("wbc", 140, 140, 35)])
    scene = scene_of("thesis")
    assert scene.complete == {RBC}
    assert not known_at(scene, WHITE, 140, 140, 0.20)
    assert not known_at(scene, ANY, 140, 140, 0.20)
    assert known_at(scene, WHITE, 50, 50, 0.20), "a labelled red cell is no white one"


def test_of_white_cells_labelled_in_part_only_the_labelled_ones_are_known(make_field: MakeField) -> None:
    blast, other = ("lymphoblast", 60, 60, 35), ("lymphoblast", 150, 150, 35)
    make_field("taleqani", [blast], [other, ("rbc", 150, 40, 25)])
    scene = scene_of("taleqani")
    assert scene.complete == frozenset()
    assert scene.kinds.tolist() == [WBC]
    for bit in (ANY, WHITE):
        assert known_at(scene, bit, 60, 60, 0.116)
        assert not known_at(scene, bit, 150, 150, 0.116)
        assert not known_at(scene, bit, 150, 40, 0.116)
    places = whole_tile_places(scene)
    share = np.pi * 35**2 / 200**2
    inside = 200 * 0.116 / 0.25 / 400
    for kind in (RBC, WBC, PLATELET):
        # Beyond the picture's edge it is known that there is nothing; inside, only the labelled cell is known.
        unknown = 1.0 - places[kind].mean()
        assert unknown == pytest.approx((1.0 - share) * inside**2, rel=0.4)


def test_a_set_that_labels_every_cell_is_known_everywhere(make_field: MakeField) -> None:
    make_field("deepbionet", [*RED_CELLS, ("platelet", 100, 20, 8)], [])
    scene = scene_of("deepbionet")
    assert scene.complete == {RBC, WBC, PLATELET}
    assert whole_tile_places(scene).min() == 1.0


def test_a_doubtful_box_is_neither_cell_nor_background(make_field: MakeField) -> None:
    lobe = ("rbc", 140, 140, 20)
    data = make_field("thesis", RED_CELLS, [("wbc", 140, 140, 35)], [lobe])
    scene = scene_of("thesis")
    assert len(scene.boxes) == len(RED_CELLS)
    assert not known_at(scene, CELLS, 140, 140, 0.20)
    assert known_at(scene, CELLS, 50, 50, 0.20)
    (field,) = read_fields(data, "thesis", "train")
    assert (len(field.boxes), len(field.doubtful)) == (3, 1)
    cells = [("rbc", 0.9, (x - r, y - r, x + r, y + r)) for _, x, y, r in RED_CELLS]
    score = DetectionScore()
    add_kind(score, "rbc", [*cells, ("rbc", 0.8, (120, 120, 160, 160))], field)
    assert (score.f1, score.precision, score.count_error) == (1.0, 1.0, 0.0)
    add_kind(score, "rbc", [*cells, ("rbc", 0.8, (100, 5, 120, 25))], field)
    assert score.precision == 6 / 7


def test_masks_of_unknown_scale_are_left_out_and_blocky_edges_are_unknown(
    tmp_path: Path, make_field: MakeField
) -> None:
    folder = tmp_path / "masks" / "sigtuple"
    folder.mkdir(parents=True)
    drawn = np.zeros((128, 128), dtype=np.uint8)
    cv2.circle(drawn, (64, 64), 30, 255, cv2.FILLED)
    rows = []
    for name in ("train-1", "017532875DDF"):
        picture = np.full((128, 128, 3), GLASS, dtype=np.uint8)
        picture[drawn > 0] = WHITE_CELL
        assert cv2.imwrite(str(folder / f"{name}.webp"), picture)
        assert cv2.imwrite(str(folder / f"{name}.mask.png"), drawn)
        rows.append(f"masks/sigtuple/{name}.webp,masks/sigtuple/{name}.mask.png,,train")
    (tmp_path / "masks.csv").write_text("\n".join(["image,mask,label,split", *rows]) + "\n")
    (one,) = masks("train")
    assert one.um_per_px == 0.24
    assert [found.um_per_px for found in read_masks(tmp_path, "sigtuple", "train")] == [0.24]
    scene = white_cell_scene(one)
    assert scene.complete == {WBC}
    assert known_at(scene, WHITE, 64, 64, 0.24)
    assert not known_at(scene, WHITE, 64 + 30, 64, 0.24)
    assert known_at(scene, WHITE, 64 + 36, 64, 0.24)
    assert known_at(scene, CELLS, 64 + 30, 64, 0.24)
    assert mosaic([scene] * 4, 2).complete == {WBC}
