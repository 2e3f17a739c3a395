"""Focus on real fields blurred by known amounts; `tools/evaluate.py --only focus` takes all of them."""

import pytest

from evaluation.focus import FAR_UM, NOISE, BlurredField, losses_in, measure, ordered_between, ordered_within
from evaluation.tables import data_folder, read_fields, spread
from leukoscope.analysis.segmenter import Segmenter
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.optics.quality import QualityLimits
from leukoscope.system.assets import find_asset

DATA = data_folder()
pytestmark = pytest.mark.skipif(DATA is None, reason="the labelled pictures are not here: set LEUKOSCOPE_DATA")
SETS = ("txl", "deepbionet")


@pytest.fixture(scope="module")
def blurred() -> list[BlurredField]:
    assert DATA is not None
    return measure([field for name in SETS for field in spread(read_fields(DATA, name, "val"), 15)])


def test_of_two_blurs_of_a_field_the_less_blurred_one_is_sharper(blurred: list[BlurredField]) -> None:
    right, pairs = ordered_within(blurred, "sharpness")
    assert pairs > 1000
    assert right / pairs >= 0.99


def test_of_two_fields_sharpness_tells_the_blurred_one_better_than_the_laplacian(blurred: list[BlurredField]) -> None:
    ours, pairs = ordered_between(blurred, "sharpness")
    plain, _ = ordered_between(blurred, "laplacian")
    assert ours / pairs > 0.93
    assert plain / pairs < 0.85


def test_a_noisy_sensor_changes_neither_order_nor_verdict() -> None:
    assert DATA is not None
    fields = [field for name in SETS for field in spread(read_fields(DATA, name, "val"), 10)]
    seen = measure(fields, FAR_UM, noise=NOISE)
    limit = QualityLimits().min_sharpness
    assert {one.sharpness >= limit for one in seen if one.blur_um == 0} == {True}
    assert {one.sharpness >= limit for one in seen if one.blur_um >= 1.4} == {False}
    right, pairs = ordered_within([one for one in seen if one.blur_um <= 1.4], "sharpness")
    assert right / pairs >= 0.99


def test_no_field_as_it_is_is_refused(blurred: list[BlurredField]) -> None:
    limit = QualityLimits().min_sharpness
    assert [one.field for one in blurred if one.blur_um == 0 and one.sharpness < limit] == []


def test_blur_that_the_gate_lets_pass_costs_little_and_blur_it_refuses_costs_much() -> None:
    assert DATA is not None
    bundle = Bundle.read(find_asset("models", "segmenter"))
    segmenter = Segmenter(bundle, OnnxSettings(threads=1).open(bundle))
    limit = QualityLimits().min_sharpness
    fields = [field for name in SETS for field in spread(read_fields(DATA, name, "val"), 10)]
    seen = measure(fields, (0.0, 0.3, 0.5, 1.0), segmenter)
    passed, refused = losses_in(seen, limit, 1.0), losses_in(seen, 0.0, limit)
    assert sum(passed) / len(passed) <= 0.02
    assert sum(refused) / len(refused) > 0.02
