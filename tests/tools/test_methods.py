"""A few rows of tools/methods with very few cells, and what holds without its libraries."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from rich.console import Console

from evaluation.tables import data_folder
from methods import classifiers, deep, edges, features, outliers, preprocessing, segmentation, verdicts
from methods.amounts import QUICK
from methods.bench import Bench
from methods.boundaries import border_of, boundary_f1
from methods.closing import closing
from methods.jobs import Figures, Job
from methods.page import BEGIN, END, write_page
from methods.results import Results, Row, key_of
from methods.run import all_jobs, measure

FOLDERS = (preprocessing, segmentation, edges, features, classifiers, deep, outliers, verdicts)
QUIET = Console(quiet=True)
needs_data = pytest.mark.skipif(data_folder() is None, reason="no labelled pictures: set LEUKOSCOPE_DATA")
needs_libraries = pytest.mark.skipif(
    any(find_spec(name) is None for name in ("skimage", "sklearn", "skfuzzy", "pywt")),
    reason="needs pip install 'leukoscope[methods]'",
)


def job(measured: Callable[[Bench], Figures], name: str = "one", source: Path = Path(__file__)) -> Job:
    return Job("kind", name, [source], measured, ("val_cells",))


def bench(folder: Path, data: Path | None = None) -> Bench:
    return Bench(data, QUICK, folder)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.__name__)
def test_every_method_is_one_file_and_one_line(folder: ModuleType) -> None:
    here = Path(str(folder.__file__)).parent
    files = {path.stem for path in here.glob("*.py") if "METHOD = " in path.read_text(encoding="utf-8")}
    assert files == set(folder.NAMES)


def test_rows_have_names_of_their_own() -> None:
    names = [(one.kind, one.name) for one in all_jobs()]
    assert len(names) == len(set(names)) > 100


def test_a_row_that_is_known_is_not_measured_again(tmp_path: Path) -> None:
    asked = []

    def figures(_: Bench) -> Figures:
        asked.append(1)
        return {"five": 0.5}

    for _ in range(2):
        measure([job(figures)], bench(tmp_path), Results(tmp_path / "rows.json"), QUIET)
    assert asked == [1]


def test_a_missing_library_names_its_extra(tmp_path: Path) -> None:
    def figures(_: Bench) -> Figures:
        raise ModuleNotFoundError("No module named 'mahotas'", name="mahotas")

    results = Results(tmp_path / "rows.json")
    measure([job(figures)], bench(tmp_path), results, QUIET)
    assert "leukoscope[methods]" in results.of("kind")[0].note
    assert "mahotas" in results.of("kind")[0].note


def test_a_set_that_is_not_there_is_a_row_and_no_crash(tmp_path: Path) -> None:
    results = Results(tmp_path / "rows.json")
    chosen = [one for one in all_jobs() if one.name in ("sobel", "otsu_rules")]
    measure(chosen, bench(tmp_path, tmp_path), results, QUIET)
    measure([one for one in all_jobs() if one.kind == "deep"][:1], bench(tmp_path), results, QUIET)
    for kind in ("segmentation", "deep"):
        assert results.of(kind)[0].note.startswith("no data")


def test_the_key_ignores_comments_and_layout_but_not_code(tmp_path: Path) -> None:
    source = tmp_path / "method.py"
    keys = []
    for text in ('"""One."""\nlimit = 1\n', '"""Two."""\n\nlimit  =  1  # why\n', "limit = 2\n"):
        source.write_text(text, encoding="utf-8")
        keys.append(key_of([], [source]))
    assert keys[0] == keys[1] != keys[2]


def test_the_page_holds_the_rows_sorted(tmp_path: Path) -> None:
    results = Results(tmp_path / "rows.json")
    for name, five in (("worse", 0.5), ("better", 0.75)):
        results.put(Row("naming", name, "key", {"title": name, "five": five, "elsewhere": 0.25, "ms": 1.0}))
    results.put(Row("naming", "nowhere", "key", note="no data: pbc"))
    page = tmp_path / "README.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", encoding="utf-8")
    write_page(page, results)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("before") and text.endswith("after\n") and "old" not in text
    assert text.index("| better | .750") < text.index("| worse | .500") < text.index("no data: pbc")


def test_what_may_come_home_is_said_from_the_rows(tmp_path: Path) -> None:
    results = Results(tmp_path / "rows.json")
    for name, auroc in (("temperature", 0.7), ("margin", 0.6), ("autoencoder_loss", 0.5)):
        folds = {f"auroc {fold}": auroc for fold in ("deepapl", "pbc")}
        results.put(Row("outliers", name, "key", {"title": name, "auroc": auroc, "caught": 0.1, **folds}))
    assert any("nothing comes home" in text for text in closing(results))
    results.put(
        Row("outliers", "distance", "key", {"title": "distance", "auroc": 0.9, "caught": 0.4, "auroc pbc": 0.9})
    )
    assert any("not in both laboratories" in text for text in closing(results))


def test_a_border_moved_by_less_than_the_tolerance_is_right() -> None:
    one, other = (np.zeros((60, 60), np.bool_) for _ in range(2))
    one[20:40, 20:40] = True
    other[21:41, 20:40] = True
    assert boundary_f1(border_of(one), border_of(other), 0.5) == pytest.approx(1)
    far = np.zeros_like(one)
    far[2:8, 2:8] = True
    assert boundary_f1(border_of(one), border_of(far), 0.5) == 0


@needs_data
def test_the_shipped_networks_and_otsu_are_measured_with_few_pictures(tmp_path: Path) -> None:
    results = Results(tmp_path / "rows.json")
    wanted = {
        ("segmentation", "shipped"),
        ("segmentation", "otsu_rules"),
        ("deep", "shipped"),
        ("preprocessing", "none"),
    }
    chosen = [one for one in all_jobs() if (one.kind, one.name) in wanted]
    measure(chosen, bench(tmp_path, data_folder()), results, QUIET)
    ours, plain = (
        {row.name: row.figures for row in results.of("segmentation")}[name] for name in ("shipped", "otsu_rules")
    )
    assert float(ours["red"] or 0) > float(plain["red"] or 1)
    assert float(results.of("deep")[0].figures["five"] or 0) > 0.6


@needs_data
@needs_libraries
@pytest.mark.filterwarnings("ignore")
def test_some_methods_of_each_kind_are_measured_with_few_cells(tmp_path: Path) -> None:
    results = Results(tmp_path / "rows.json")
    wanted = {"kmeans", "gaussian", "canny", "nucleus + support_vectors", "nucleus + fuzzy_rules"}
    chosen = [one for one in all_jobs() if one.name in wanted]
    measure(chosen, bench(tmp_path, data_folder()), results, QUIET)
    assert {
        row.name for kind in ("segmentation", "preprocessing", "edges", "naming") for row in results.of(kind)
    } == wanted
    assert all(row.figures for row in results.of("naming"))


@pytest.mark.skipif(
    any(find_spec(name) is None for name in ("torch", "sklearn")), reason="needs pip install 'leukoscope[methods]'"
)
def test_published_weights_of_vgg_are_loaded_from_a_file_in_torchvisions_layout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from methods.deep import vgg

    torch.manual_seed(0)
    stored = vgg.Vgg(16, 1)
    layout = {f"features.{key}": value for key, value in stored.features.state_dict().items()}
    path = tmp_path / "vgg16_bn-6c64b313.pth"
    torch.save({**layout, "classifier.0.weight": torch.zeros(2, 2)}, path)
    monkeypatch.setenv(vgg.WEIGHTS, str(tmp_path))
    assert vgg.published(16) == path
    assert vgg.published(19) is None
    picture = torch.rand(1, 3, 32, 32)
    assert torch.equal(vgg.with_weights(16, path).pooled(picture), stored.eval().pooled(picture))
    with pytest.raises(ValueError, match="expected the weights of VGG-19"):
        vgg.with_weights(19, path)
