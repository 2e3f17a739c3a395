import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import typer
from typer.testing import CliRunner

import benchmark
from benchmarking.clock import Spread, Time, watched
from benchmarking.fields import SIZES, take_fields
from benchmarking.graphs import Node, Port, write_graph
from benchmarking.loop import loop_table, measure_loop
from benchmarking.measuring import Timing
from benchmarking.memory import peak_rss_mb
from benchmarking.peak import Int8Peak, count_macs
from benchmarking.results import BundleSize, Results
from benchmarking.rival import OPEN_SIDE, Rival
from benchmarking.stages import STAGES, TimedInstrument
from leukoscope.analysis import peaks, segmenter
from leukoscope.analysis.classifier import Classifier
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.errors import BundleError, EngineUnavailable
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.instrument import Instrument
from leukoscope.optics.quality import QualityGate, QualityLimits
from leukoscope.service.models import open_models
from leukoscope.settings import ModelSettings
from leukoscope.specimen.cell import CellKind
from leukoscope.system.assets import find_asset


def convolution(path: Path, dtype: type[Any] = np.float32, rows: int | str = 24) -> Path:
    """An ONNX file: 3 channels of `rows` x 32 pixels, a 3x3 convolution to 5 channels."""
    weights = np.ones((5, 3, 3, 3), dtype=np.float32)
    nodes = [Node("Conv", ("f", "w"), "y", {"pads": (1, 1, 1, 1)})]
    if dtype is np.float32:
        nodes[0] = Node("Conv", ("x", "w"), "y", {"pads": (1, 1, 1, 1)})
    else:
        nodes.insert(0, Node("DequantizeLinear", ("x", "scale"), "f"))
    constants = {"w": weights, "scale": np.array(1.0, dtype=np.float32)}
    if dtype is np.float32:
        del constants["scale"]
    taken, given = Port("x", dtype, (1, 3, rows, 32)), Port("y", np.float32, (1, 5, rows, 32))
    path.write_bytes(write_graph(nodes, taken, given, constants))
    return path


def test_a_file_written_on_the_fly_computes_what_it_says(tmp_path: Path) -> None:
    session = onnxruntime.InferenceSession(str(convolution(tmp_path / "sum.onnx")))
    picture = np.random.default_rng(1).random((1, 3, 24, 32), dtype=np.float32)
    (answer,) = session.run(None, {"x": picture})
    assert answer.shape == (1, 5, 24, 32)
    assert answer[0, 2, 10, 10] == pytest.approx(picture[0, :, 9:12, 9:12].sum(), rel=1e-4)


def test_multiply_accumulates_are_counted_from_the_shapes(tmp_path: Path) -> None:
    tensor = np.zeros((1, 3, 24, 32), dtype=np.float32)
    assert count_macs(convolution(tmp_path / "sum.onnx"), tensor) == 24 * 32 * 5 * 3 * 3 * 3


def test_the_int8_peak_only_rises() -> None:
    peak = Int8Peak()
    peak.sample()
    first = peak.gmacs_per_s
    peak.sample()
    assert 0 < first <= peak.gmacs_per_s
    assert "int8" in peak.by


def test_fields_are_seeded_and_their_light_is_evened() -> None:
    timed_fields = take_fields(SIZES[0], 1, seed=7)
    (frame,) = timed_fields.frames
    assert frame.pixels.shape == (480, 640, 3)
    np.testing.assert_array_equal(frame.pixels, take_fields(SIZES[0], 1, seed=7).frames[0].pixels)
    evened = timed_fields.calibration.correct(frame)
    assert evened.um_per_px == 0.127
    assert not np.array_equal(evened.pixels, frame.pixels)


def test_the_timed_instrument_finds_what_the_instrument_finds_and_loses_no_time() -> None:
    timed_fields = take_fields(SIZES[0], 1, seed=6)
    bundles = (Bundle.read(find_asset("models", "segmenter")), Bundle.read(find_asset("models", "classifier")))
    engine = OnnxSettings(threads=1)
    timed = TimedInstrument(*bundles, engine).look(timed_fields.frames[0], timed_fields.calibration)
    gate = QualityGate(QualityLimits())
    plain = Instrument(
        timed_fields.calibration,
        gate,
        Segmenter(bundles[0], engine.open(bundles[0])),
        Classifier(bundles[1], engine.open(bundles[1])),
    ).look(timed_fields.frames[0])
    assert timed.cells == len(plain.field.cells) > 20
    assert any(cell.instance.kind is CellKind.WBC for cell in plain.field.cells)
    assert timed.tiles == 1
    assert set(timed.stages) == set(STAGES)
    assert sum(one.wall for one in timed.stages.values()) == pytest.approx(timed.whole.wall)
    assert all(one.wall >= 0 for one in timed.stages.values())
    assert min(timed.stages[key].wall for key in ("network", "name", "outline", "gate")) > 0


def test_a_watched_function_is_given_back_whatever_happens() -> None:
    original = peaks.find_boxes
    with pytest.raises(TypeError), watched(peaks, "find_boxes") as calls:
        peaks.find_boxes()  # type: ignore[call-arg]
    assert peaks.find_boxes is original
    assert (len(calls.begins), len(calls.ends)) == (1, 0)
    with pytest.raises(AttributeError), watched(segmenter, "no_such_function"):
        pass


def test_waiting_takes_wall_time_and_no_processor_time() -> None:
    begin = Time.now()
    time.sleep(0.05)
    spent = Time.now() - begin
    assert spent.wall >= 49
    assert spent.cpu < spent.wall


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.int8])
def test_another_detector_takes_the_picture_in_its_own_shape_and_type(tmp_path: Path, dtype: type[Any]) -> None:
    rival = Rival(convolution(tmp_path / "other.onnx", dtype))
    picture = np.full((480, 640, 3), 255, dtype=np.uint8)
    tensor = rival.tensor(picture)
    assert (tensor.shape, tensor.dtype) == ((1, 3, 24, 32), np.dtype(dtype))
    assert tensor.max() == {np.float32: 1, np.uint8: 255, np.int8: 127}[dtype]
    assert rival.run(tensor).wall > 0
    assert rival.macs == 24 * 32 * 5 * 27


def test_sides_that_a_detector_leaves_open_are_chosen(tmp_path: Path) -> None:
    rival = Rival(convolution(tmp_path / "open.onnx", rows="height"))
    assert rival.shape == (1, 3, OPEN_SIDE, 32)
    assert rival.macs == OPEN_SIDE * 32 * 5 * 27


def test_a_file_that_is_no_detector_is_refused_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no network at"):
        Rival(tmp_path / "missing.onnx")
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"not a network")
    with pytest.raises(EngineUnavailable, match="cannot load"):
        Rival(broken)
    vector = tmp_path / "vector.onnx"
    ports = Port("x", np.float32, (1, 3)), Port("y", np.float32, (1, 3))
    vector.write_bytes(write_graph([Node("Relu", ("x",), "y")], *ports, {}))
    with pytest.raises(BundleError, match="four dimensions"):
        Rival(vector)


def results(whole_ms: float, int8_share: float, mb: float) -> Results:
    spread = Spread(whole_ms, whole_ms, whole_ms, whole_ms)
    timing = Timing("small", "onnx", 9, dict.fromkeys(STAGES, spread), spread, 70.0, 1000.0, 1.0, int8_share)
    files = [BundleSize("segmenter", "segmenter", "onnx", mb)]
    return Results("a machine", {"onnx": "1"}, 0.5, [timing], 10**6, 100.0, "x", {"onnx": 100.0}, files)


@pytest.mark.parametrize(
    ("whole_ms", "int8_share", "mb", "met"),
    [(9.9, 0.4, 0.9, [True] * 4), (10.1, 0.34, 1.1, [False, False, True, False])],
)
def test_a_target_is_met_or_is_not(whole_ms: float, int8_share: float, mb: float, met: list[bool]) -> None:
    assert [target[-1] for target in results(whole_ms, int8_share, mb).targets()] == met


def test_the_whole_benchmark_prints_tables_and_one_json_object(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(benchmark.main)
    other = str(convolution(tmp_path / "other.onnx"))
    common = ["--size", "small", "--fields", "1", "--rounds", "1", "--no-memory", "--against", other]
    outcome = CliRunner().invoke(app, [*common, "--json"])
    assert outcome.exit_code == 0, outcome.output
    found = json.loads(outcome.stdout.splitlines()[-1])
    assert found["threads"] == 1
    assert {(one["size"], one["engine"]) for one in found["timings"]} == {("small", "onnx"), ("small", "litert")}
    assert all(set(one["stages"]) == set(STAGES) for one in found["timings"])
    assert found["macs_per_px"] > 1e3
    assert {one["engine"] for one in found["bundles"]} == {"onnx", "litert"}
    (against,) = found["against"]
    assert set(against["over_whole"]) == {"onnx", "litert"}
    outcome = CliRunner().invoke(app, [*common, "--engine", "onnx"])
    assert outcome.exit_code == 0, outcome.output
    assert "boxes to outlines" in outcome.stdout
    assert "Beside other.onnx" in outcome.stdout


def test_the_memory_of_a_run_is_its_own() -> None:
    ballast = np.ones(400_000_000, dtype=np.uint8)
    bundles = (find_asset("models", "segmenter"), find_asset("models", "classifier"))
    peak = peak_rss_mb(*bundles, "onnx", white_cells=1)
    assert peak is not None
    assert 50 < peak < ballast.nbytes / 1e6


def test_the_loop_counts_every_field_at_rest_and_follows_the_frames_between() -> None:
    measured = measure_loop(open_models(ModelSettings()), SIZES[0], fields=3, seed=5)
    assert measured.fields == 2
    assert measured.counting.cpu_p50 > measured.looking.cpu_p50 > 0
    assert measured.latency_p95_ms >= measured.latency_p50_ms > 1000 / 15
    assert loop_table([measured]).row_count == 3
