"""The device with parts that fail: each name in an order changes one thing about the program before it runs."""

import os
import resource
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import onnxruntime  # noqa: F401 - so that no fork has to
import paho.mqtt.client  # noqa: F401 - so that no fork has to

from leukoscope.cameras.simulated import SimulatedCamera
from leukoscope.cli import main as cli
from leukoscope.controls import Action
from leukoscope.controls.button import ButtonSettings
from leukoscope.displays.snapshot import Snapshot, SnapshotSettings
from leukoscope.errors import CameraError, CameraInterrupted, DisplayError, LeukoscopeError
from leukoscope.service import loop, report_filing, telemetry
from leukoscope.service.loop import Service
from leukoscope.simulation.microscope import SimulatedMicroscope
from leukoscope.specimen.frame import Frame
from tests.faults.nursery import Order

SOUND = 1
"""Frames before the camera fails."""
FAILING = 4
"""Frames that it fails for, where it recovers."""


def live(order: Order) -> int:
    """Be the device; returns its exit status."""
    os.dup2(os.open(order.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT), 2)
    os.environ |= {"RUNTIME_DIRECTORY": order.run_folder, "NOTIFY_SOCKET": order.notify, "WATCHDOG_USEC": "1000000"}
    report_filing.OUTBOX_RETRY_S = loop.REFRESH_S = 0.1
    telemetry.RESULT_S, telemetry.FLUSH_S = 0.0, 1.0
    if order.processor is not None:
        os.sched_setaffinity(0, {order.processor})
    if order.data_mib:
        resource.setrlimit(resource.RLIMIT_DATA, (order.data_mib * 2**20,) * 2)
    for name in order.broken:
        WAYS[name]()
    try:
        cli.app(["run", "--bench", order.bench, "--samples", str(order.samples)], standalone_mode=False)
    except SystemExit as leaving:
        return int(leaving.code or 0)
    except LeukoscopeError as error:
        # As the command says it.
        print(f"leukoscope: {error}", file=sys.stderr, flush=True)
        return 2
    except Exception:
        traceback.print_exc()
        return 1
    return 0


def press_whenever_idle() -> None:
    """A person who starts the next sample as soon as one is done."""
    idle = Service._idle

    def pressing(self: Service) -> None:
        idle(self)
        if not self._samples.counting:
            self._act(Action.TOGGLE)

    Service._idle = pressing  # type: ignore[method-assign]


def camera(failing: Callable[[Frame], Frame], frames: int = FAILING) -> Callable[[], None]:
    """A camera whose frames go through `failing` for a while."""

    def break_it() -> None:
        capture, number = SimulatedCamera.capture, iter(range(10**9))

        def spoilt(self: SimulatedCamera) -> Frame:
            frame = capture(self)
            return failing(frame) if SOUND <= next(number) < SOUND + frames else frame

        SimulatedCamera.capture = spoilt  # type: ignore[method-assign]

    return break_it


def hang_the_bus() -> None:
    """What the camera waits for does not come any more; no signal handler of Python runs."""
    look, before = SimulatedMicroscope.look, iter(range(SOUND))

    def blocking(self: SimulatedMicroscope) -> Any:
        if next(before, None) is None:
            threading.Event().wait()
        return look(self)

    SimulatedMicroscope.look = blocking  # type: ignore[method-assign]


def time_out(frame: Frame) -> Frame:
    raise CameraInterrupted("no frame from the camera within 5 s", "check its cable")


def unplug(frame: Frame) -> Frame:
    raise CameraError("the camera was unplugged", "plug it in again")


def filled(level: int) -> Callable[[Frame], Frame]:
    return lambda frame: replace(frame, pixels=np.full_like(frame.pixels, level))


def halved(frame: Frame) -> Frame:
    return replace(frame, pixels=np.ascontiguousarray(frame.pixels[::2, ::2]))


def torn(frame: Frame) -> Frame:
    """Its lower half is of another moment, when the stage was elsewhere."""
    rows = frame.pixels.shape[0] // 2
    return replace(frame, pixels=np.concatenate([frame.pixels[:rows], np.roll(frame.pixels[rows:], 97, axis=1)]))


def garble_the_bus() -> None:
    """From the first count on, every second transfer to the display fails."""
    show, number = Snapshot.show, iter(range(10**9))

    def glitching(self: Snapshot, image: Any) -> None:
        if (one := next(number)) > 6 and one % 2:
            raise DisplayError("the display does not answer (Remote I/O error)", "check its cable")
        show(self, image)

    Snapshot.show = glitching  # type: ignore[method-assign]


def no_display() -> None:
    def absent(self: SnapshotSettings) -> Snapshot:
        raise DisplayError("no display answers at I2C address 0x3c", "check its cable")

    SnapshotSettings.open = absent  # type: ignore[method-assign]


def finger(script: Callable[[Any], Iterator[float]]) -> Callable[[], None]:
    """A person at an imitated pin; the script moves it and yields seconds to wait."""

    def press() -> None:
        from gpiozero.pins.mock import MockFactory

        factory = MockFactory()
        pin = factory.pin(17)

        def act() -> None:
            for seconds in script(pin):
                time.sleep(seconds)

        def imitated(self: ButtonSettings, keys: object = None) -> Any:
            threading.Timer(0.3, act).start()
            return self.open_on(factory, time.monotonic)

        ButtonSettings.open = imitated  # type: ignore[method-assign]

    return press


def bouncing(pin: Any) -> Iterator[float]:
    """One press of an old switch: forty edges, then down, then as many on the way up."""
    for _ in range(20):
        pin.drive_low()
        yield 0.001
        pin.drive_high()
        yield 0.001
    pin.drive_low()
    yield 0.2
    for _ in range(20):
        pin.drive_high()
        yield 0.001
        pin.drive_low()
        yield 0.001
    pin.drive_high()


def stuck(pin: Any) -> Iterator[float]:
    """A press that starts a sample, then one that does not end for longer than the button endures."""
    pin.drive_low()
    yield 0.2
    pin.drive_high()
    yield 0.1
    pin.drive_low()


def impatient() -> None:
    """A press is very long, and a button stuck, in a fraction of the time."""
    opened = ButtonSettings.open_on

    def soon(self: ButtonSettings, factory: Any, clock: Callable[[], float]) -> Any:
        return opened(self.model_copy(update={"stuck_s": 1.0, "very_long_s": 0.6, "long_s": 0.4}), factory, clock)

    ButtonSettings.open_on = soon  # type: ignore[method-assign]


WAYS: dict[str, Callable[[], None]] = {
    "eager": press_whenever_idle,
    "camera hangs": hang_the_bus,
    "camera times out": camera(time_out),
    "camera unplugged": camera(unplug, 10**9),
    "camera wrong size": camera(halved),
    "camera black": camera(filled(0)),
    "camera saturated": camera(filled(255)),
    "camera torn": camera(torn),
    "display errors": garble_the_bus,
    "display absent": no_display,
    "button bounces": finger(bouncing),
    "button stuck": finger(stuck),
    "impatient": impatient,
}
"""What can be wrong, by name."""
