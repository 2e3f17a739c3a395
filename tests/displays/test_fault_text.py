"""What a technician reads when a part fails: what happened, and what to do."""

import pickle
from pathlib import Path

import pytest

import leukoscope.errors
from leukoscope.displays.fault_text import fault_of
from leukoscope.errors import CameraTimeout, LeukoscopeError, OutboxError, SettingsError
from leukoscope.settings import BenchSettings

EVERY = [one for one in vars(leukoscope.errors).values() if isinstance(one, type) and issubclass(one, LeukoscopeError)]


@pytest.mark.parametrize("kind", EVERY)
def test_every_error_keeps_what_happened_and_what_to_do_apart(kind: type[LeukoscopeError]) -> None:
    error = pickle.loads(pickle.dumps(kind("no camera at /dev/video0: found none", "is it plugged in?")))
    assert (error.happened, error.todo) == ("no camera at /dev/video0: found none", "is it plugged in?")
    assert str(error) == "no camera at /dev/video0: found none: is it plugged in?"


def test_the_screen_shows_both_and_splits_no_sentence() -> None:
    fault = fault_of(CameraTimeout("the camera said: no frame", "check its cable"))
    assert (fault.part, fault.happened, fault.todo) == ("Camera", "the camera said: no frame", "check its cable")
    fault = fault_of(OutboxError("the disk said: I/O error", "is it full: or failing?"))
    assert (fault.happened, fault.todo) == ("the disk said: I/O error", "is it full: or failing?")


def test_settings_that_lack_tables_are_no_advice(tmp_path: Path) -> None:
    bench = tmp_path / "bench.toml"
    bench.write_text('site = "clinic"\n', "utf-8")
    with pytest.raises(SettingsError) as caught:
        BenchSettings.read(bench)
    fault = fault_of(caught.value)
    assert "camera is missing" in fault.happened
    assert "camera" not in fault.todo
