"""From a settings file to a device that runs, and what it died of."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from leukoscope.calibrating.menu import Page, show_menu
from leukoscope.displays.fault_text import fault_of
from leukoscope.errors import LeukoscopeError, SettingsError
from leukoscope.service.loop import Service
from leukoscope.service.opening import open_bench
from leukoscope.settings import BenchSettings
from leukoscope.specimen.sample_id import why_not_an_id
from leukoscope.system.fault_record import FaultRecord, LastFault
from leukoscope.system.log_setup import set_up_logs
from leukoscope.system.shutdown import start_again, stopped_by_signals
from leukoscope.system.watchdog import Watchdog


def run_bench(
    bench_file: Path, calibrations: Callable[[Path], tuple[Page, ...]], *, samples: int, sample_id: str
) -> str:
    """Open a bench and run it until it has reported `samples` samples (0: until it is asked to stop).

    A very long press before a sample leads to the menu of calibrations, after which the device starts again.

    Args:
        bench_file: the settings.
        calibrations: the pages of the menu, for these settings.
        samples: how many.
        sample_id: what the first specimen is called; empty for an automatic name.

    Returns:
        Why nothing was counted; empty where something was, or the technician or the system stopped it.

    Raises:
        LeukoscopeError: a part is missing or failed; what was counted is in the outbox.
    """
    settings, near = BenchSettings.read(bench_file), bench_file.parent
    if sample_id and (wrong := why_not_an_id(sample_id, settings.samples.pattern)) is not None:
        raise SettingsError(f"--sample-id: {wrong}, found {sample_id[:40]!r}", "correct the id")
    # Lines in between would tear a display that is drawn in the same terminal.
    drawn = any(display.in_terminal for display in settings.displays)
    set_up_logs(drawn_over=drawn)
    watchdog = Watchdog.of_this_process()
    with open_bench(settings, near, watchdog) as bench:
        service = Service(bench, near, samples=samples, sample_id=sample_id, watchdog=watchdog)
        bench.ready()
        with stopped_by_signals(service.stop):
            watchdog.ready()
            FaultRecord.of_this_service().clear()
            service.run()
    if service.to_calibrate:
        # The menu opens camera and displays for itself.
        show_menu(bench_file, calibrations(bench_file))
    if service.to_start_again or service.to_calibrate:
        start_again()
    return service.nothing_counted


@contextmanager
def faults_on_record() -> Iterator[None]:
    """Keep whatever ends the device, its settings included, for the fault screen that comes after it."""
    kept = FaultRecord.of_this_service()
    kept.begin()
    try:
        yield
    except LeukoscopeError as error:
        fault = fault_of(error)
        kept.write(LastFault(fault.part, fault.happened, fault.todo))
        raise
    except Exception as error:
        kept.write(LastFault("Instrument", f"{type(error).__name__}: {error}", "Run leukoscope support"))
        raise
    finally:
        kept.end()
