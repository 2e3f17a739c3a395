"""A verification that is new holds from the next sample on, without a start of the device."""

from pathlib import Path

from leukoscope.reviewing.bench_record import FILE, BenchRecord
from leukoscope.service.bench_naming import conditions_of
from leukoscope.service.opening import open_bench
from leukoscope.settings import BenchSettings
from leukoscope.system.watchdog import Watchdog
from tests.commands.test_run import write_bench
from tests.reviewing.test_bench_verification import checked


def test_a_bench_that_runs_knows_a_new_verification(tmp_path: Path) -> None:
    path = write_bench(tmp_path)
    settings = BenchSettings.read(path)
    now = conditions_of(settings, tmp_path)
    same = {"classifier": now.classifier, "calibration": now.calibration, "camera": now.camera}
    with open_bench(settings, tmp_path, Watchdog.of_this_process()) as bench:
        assert bench.naming().correction is None
        BenchRecord().with_reports(checked(number, **same) for number in (1, 2, 3)).write(
            settings.storage.folder / FILE
        )
        assert bench.naming().correction is not None
