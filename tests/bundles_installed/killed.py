"""Kills an installation, or a start, with -9 at each of its steps and looks what the device opens then; a script.

A step is anything that touches a file of the store: opening, making, renaming, removing and flushing. Each run forks
from this process, which has imported everything and runs no thread.
"""

import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import onnxruntime  # noqa: F401 - so that no fork has to

from leukoscope.bundles.bundle_store import BundleStore
from leukoscope.bundles.installing import install, refuse_other_answers
from leukoscope.bundles.startup import Startup
from leukoscope.inference.bundle import Bundle
from tests.bundles_installed.workshop import NOW, RULES, archive

ENDED, KILLED = 0, -signal.SIGKILL


def main(folder: Path) -> None:
    """Print how many steps each way has, after all of them were survived."""
    first, second = archive(folder, "9.0.0"), archive(folder, "9.1.0")
    whole = folder / "whole"
    assert apart(lambda: _install(whole, first)) == ENDED
    assert apart(lambda: _start(whole, {"9.0.0"})) == ENDED
    steps = survived(folder, whole, lambda place: _install(place, second), {"9.0.0", "9.1.0"})
    print(f"installing: {steps} steps")
    assert apart(lambda: _install(whole, second)) == ENDED
    steps = survived(folder, whole, lambda place: _start(place, {"9.1.0"}), {"9.1.0"})
    print(f"starting on trial: {steps} steps")
    for network in whole.glob("classifier/9.1.0-*/network.onnx"):
        network.write_bytes(b"rotten")
    for _ in range(3):
        assert apart(lambda: _start(whole, {"none of them"})) != ENDED
    steps = survived(folder, whole, lambda place: _start(place, {"9.0.0"}), {"9.0.0"})
    print(f"rolling back: {steps} steps")


def survived(folder: Path, whole: Path, work: Callable[[Path], None], valid: set[str]) -> int:
    """Kill the work at its first, second, … step until it ends; the device starts on one of `valid` each time."""
    place = folder / "place"
    for step in range(1, 1000):
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(whole, place)
        outcome = apart(lambda step=step: work(place), kill_at=step, within=place)  # type: ignore[misc]
        assert outcome in (ENDED, KILLED), f"step {step}: {outcome}"
        assert apart(lambda: _start(place, valid)) == ENDED, f"killed at step {step}, the device does not start"
        if outcome == ENDED:
            return step - 1
        if step % 3 == 0:
            # Whatever was left lying about, the same now goes through.
            assert apart(lambda: work(place)) == ENDED, f"killed at step {step}, it cannot be done again"
    raise AssertionError("it never ends")


def apart(work: Callable[[], None], kill_at: int = 0, within: Path | None = None) -> int:
    """The exit status of the work in a process of its own, killed at a step."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            if within is not None:
                _die_at(kill_at, str(within))
            work()
            status = ENDED
        finally:
            sys.stdout.flush()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _die_at(step: int, within: str) -> None:
    left = step

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        touching = event in ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.listdir", "fsync")
        if touching and (event == "fsync" or str(arguments[0]).startswith(within)):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    flush = os.fsync

    def flush_counted(handle: int) -> None:
        sys.audit("fsync", handle)
        flush(handle)

    os.fsync = flush_counted  # type: ignore[assignment]
    sys.addaudithook(count)


def _install(place: Path, raw: bytes) -> None:
    install(raw, "archive", BundleStore(place), RULES, NOW)


def _start(place: Path, valid: set[str]) -> None:
    startup = Startup(None, RULES.software, BundleStore(place))
    with startup.opening("classifier") as found:
        bundle = Bundle.read(found.folder)
        refuse_other_answers(bundle, RULES.engine.open(bundle))
    assert bundle.manifest.version in valid, f"{bundle.manifest.version} is in force"
    startup.confirm()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
