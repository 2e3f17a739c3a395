import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from leukoscope.analysis.golden import replay
from leukoscope.errors import EngineUnavailable
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.engines import EngineSettings
from leukoscope.inference.litert import LitertSettings
from leukoscope.inference.network import Network, Outputs
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.system.assets import find_asset

CHECKOUT = Path(__file__).resolve().parents[2]
BUNDLES = ("segmenter", "classifier", "marrow")
OLD_RUNTIME = ("tflite-runtime==2.14.0", "numpy<2", "opencv-python-headless==4.11.0.86", "pydantic>=2.11")


@pytest.mark.parametrize("name", BUNDLES)
@pytest.mark.parametrize("settings", [OnnxSettings(), LitertSettings()], ids=lambda one: one.driver)
def test_every_engine_reaches_the_golden_decisions(name: str, settings: EngineSettings) -> None:
    bundle = Bundle.read(find_asset("models", name))
    check = replay(bundle, settings.open(bundle))
    assert check.decisions >= 10
    assert check.passed


class Twisted:
    """A network on a board that computes something else."""

    engine: str = "twisted"

    def __init__(self, network: Network) -> None:
        self.network = network

    def run(self, picture: NDArray[np.uint8]) -> Outputs:
        return {name: -values for name, values in self.network.run(picture).items()}


@pytest.mark.parametrize("name", BUNDLES)
def test_a_board_that_computes_something_else_fails_the_golden_check(name: str) -> None:
    bundle = Bundle.read(find_asset("models", name))
    assert not replay(bundle, Twisted(OnnxSettings().open(bundle))).passed


def test_the_engines_hand_out_the_same_kind_of_answer() -> None:
    bundle = Bundle.read(find_asset("models", "segmenter"))
    shape = bundle.manifest.input
    picture = np.full((shape.rows, shape.cols, 3), 200, dtype=np.uint8)
    onnx, litert = (settings.open(bundle).run(picture) for settings in (OnnxSettings(), LitertSettings()))
    assert {name: values.shape for name, values in onnx.items()} == {n: v.shape for n, v in litert.items()}
    assert all(values.dtype == np.float32 for values in litert.values())


def test_a_provider_that_is_not_here_is_named_with_those_that_are() -> None:
    bundle = Bundle.read(find_asset("models", "segmenter"))
    with pytest.raises(EngineUnavailable, match=r"no TensorrtExecutionProvider here; it offers .*CPUExecutionProvider"):
        OnnxSettings(providers=("TensorrtExecutionProvider", "CPUExecutionProvider")).open(bundle)


def test_the_runtime_asked_for_is_the_one_used_or_an_error() -> None:
    bundle = Bundle.read(find_asset("models", "classifier"))
    assert LitertSettings(runtime="ai-edge-litert").open(bundle).engine.startswith("ai-edge-litert")
    with pytest.raises(EngineUnavailable, match=r"tflite-runtime with Python 3\.11"):
        LitertSettings(runtime="tflite-runtime").open(bundle)


@pytest.fixture(scope="module")
def old_python() -> Path:
    """A small environment with tflite-runtime, kept between runs; it needs Python 3.11 and numpy below 2."""
    python = shutil.which("python3.11") if sys.version_info[:2] != (3, 11) else sys.executable
    if python is None or subprocess.run([python, "--version"], capture_output=True, check=False).returncode:
        pytest.skip("tflite-runtime has no wheel for this Python, and there is no python3.11 here")
    folder = CHECKOUT / ".venv-tflite"
    inside = folder / "bin" / "python"
    if not (folder / "complete").exists():
        subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([inside, "-m", "pip", "install", "--quiet", *OLD_RUNTIME], check=True)
        (folder / "complete").touch()
    return inside


def test_tflite_runtime_reaches_the_golden_decisions(old_python: Path) -> None:
    done = subprocess.run(
        [old_python, Path(__file__).with_name("replay_golden.py"), CHECKOUT / "models"],
        env={"PYTHONPATH": str(CHECKOUT / "device")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("tflite-runtime 2.14.0") == len(BUNDLES)
