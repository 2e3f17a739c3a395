from dataclasses import replace

import numpy as np
import pytest

from leukoscope.quality_control.run_record import MEASURES, SAMPLES, Kind
from leukoscope.quality_control.sample_metrics import SampleMetrics, light_of
from leukoscope.specimen.field import CountedField, Flaw
from tests.drawings import EPOCH, cell, counted, discs, frame_of, rejected
from tests.exporting.stored import blood


def tinted(field: CountedField, red: int, green: int, blue: int) -> CountedField:
    """The field, its frame of this colour."""
    pixels = np.full((50, 60, 3), (red, green, blue), np.uint8)
    frame = replace(field.micrograph.frame, pixels=pixels, colour_gains=(1.5, 2.0), exposure_us=8000)
    return replace(field, micrograph=replace(field.micrograph, frame=frame))


def test_the_light_is_that_of_empty_glass_whatever_lies_on_it() -> None:
    empty, crowded = discs([]), discs([(60, 60), (60, 120), (120, 60), (150, 150), (150, 220), (60, 200)])
    assert light_of(frame_of(empty)) == light_of(frame_of(crowded))
    assert light_of(frame_of(empty))["background_level"] == 230


def test_a_run_tells_the_median_of_its_fields() -> None:
    watch = SampleMetrics()
    for level, ms in ((100, 10.0), (200, 30.0), (110, 20.0)):
        watch.take(tinted(counted(cell()), level, 100, 50), ms)
    run = watch.run_of(blood(), EPOCH)
    assert (run.kind, run.reference, run.subject) == (Kind.SAMPLE, SAMPLES, blood().id)
    assert run.measures["background_red_ratio"] == pytest.approx(1.1)
    assert run.measures["background_blue_ratio"] == pytest.approx(0.5)
    assert (run.measures["ms_per_field"], run.measures["gain_blue"]) == (20.0, 2.0)
    assert run.measures["red_cell_diameter_um"] == 7.2
    assert run.measures["refused_share"] == pytest.approx(2 / 42)
    assert set(run.measures) <= set(MEASURES)
    assert run.classes == {"segmented": 0.6, "blast": 0.02, "lymphocyte": 0.38}


def test_a_refused_field_tells_of_the_lamp_and_not_of_the_focus() -> None:
    watch = SampleMetrics()
    watch.take(rejected(Flaw.UNDEREXPOSED), 5.0)
    measures = watch.run_of(blood(), EPOCH).measures
    assert measures["background_level"] == 230
    assert "sharpness" not in measures


def test_a_black_picture_has_no_colour() -> None:
    light = light_of(frame_of(np.zeros((20, 20, 3), np.uint8)))
    assert light == {"background_level": 0.0, "background_red_ratio": None, "background_blue_ratio": None}
