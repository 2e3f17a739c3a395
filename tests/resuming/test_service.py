"""Names, discarding and resuming on a whole bench, as the technician meets them."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from leukoscope.cameras.simulated import SimulatedCamera
from leukoscope.errors import CameraError, CameraInterrupted, OutboxError
from leukoscope.indicators.event import Event
from leukoscope.indicators.gpio import GpioIndicator
from leukoscope.outbox.report_files import ReportFiles
from leukoscope.outbox.store import Outbox
from leukoscope.service.event_journal import find_interrupted
from leukoscope.service.loop import Service
from leukoscope.service.presenter import Presenter
from leukoscope.service.report_filing import ReportFiling
from leukoscope.service.sample_progress import SampleProgress
from leukoscope.specimen.frame import Frame
from tests.commands.command_line import Outcome, leukoscope
from tests.commands.test_run import write_bench
from tests.machine.supervisor import Supervisor

SMEAR = "smear = { white_per_1000_rbc = 60.0, seed = 3 }"
SMALL = f'{{ driver = "simulated", {SMEAR}, microscope = {{ width = 320, height = 240 }} }}'
TOGGLE, FINISH, DISCARD, QUIT = ({"action": name} for name in ("toggle", "finish", "discard", "quit"))


class PulledPlug(BaseException):
    """Ends the program where it stands; nothing it would still do is done."""


class Bench:
    """A small simulated bench whose technician does one thing after the other, a few turns apart."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notices: list[tuple[str, ...]] = []

    when = "every_frame"
    camera = SMALL

    def run(
        self,
        *events: dict[str, str],
        white_cells: int = 5000,
        extra: str = "",
        options: tuple[str, ...] = (),
        calibration: str = "{ um_per_px = 0.127 }",
    ) -> Outcome:
        presses = [event | {"after_polls": 2 * number} for number, event in enumerate(events)]
        text = ", ".join(
            "{ " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in one.items()) + " }" for one in presses
        )
        bench = write_bench(
            self.folder,
            'presses = [{ action = "toggle", after_s = 0.0 }]',
            f"presses = [{text}]",
            camera=self.camera,
            calibration=calibration,
            white_cells=white_cells,
            when=self.when,
        )
        bench.write_text(bench.read_text() + extra)
        return leukoscope("run", "--bench", bench, *options)

    @property
    def reports(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in sorted((self.folder / "state" / "reports").glob("*.json"))]

    @property
    def register(self) -> list[tuple[str, str]]:
        lines = (self.folder / "state" / "samples.jsonl").read_text().splitlines()
        return [(entry["event"], entry["sample_id"]) for entry in map(json.loads, lines)]

    @property
    def in_progress(self) -> list[Path]:
        return list((self.folder / "state" / "in-progress").glob("*"))

    def pull_the_plug(self, frames: int) -> None:
        """Take so many frames, and then no more."""
        left = iter(range(frames))
        capture = SimulatedCamera.capture

        def cut(camera: SimulatedCamera) -> Frame:
            if next(left, None) is None:
                raise PulledPlug
            return capture(camera)

        with mock.patch.object(SimulatedCamera, "capture", cut), pytest.raises(PulledPlug):
            self.run(TOGGLE, options=("--sample-id", "S-1"))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    notice = Presenter.notice

    def noted(narrator: Presenter, title: str, *rest: Any, **more: Any) -> None:
        bench.notices.append((title, *rest[:2]))
        notice(narrator, title, *rest, **more)

    with (
        mock.patch.object(Presenter, "notice", noted),
        mock.patch("leukoscope.service.loop.IDLE_S", 0.0),
        mock.patch("leukoscope.service.telemetry.RESULT_S", 0.0),
    ):
        yield bench


def scan(sample_id: str) -> dict[str, str]:
    return {"sample_id": sample_id}


def test_a_scan_names_the_next_sample_and_one_while_it_is_counted_is_told_and_ignored(bench: Bench) -> None:
    outcome = bench.run(scan("A-1"), TOGGLE, scan("B-2"), FINISH, QUIT)
    assert outcome.code == 0, outcome.err
    (report,) = bench.reports
    assert report["sample"]["sample_id"] == "A-1"
    assert bench.notices == [("In progress", "Finish A-1 first", "B-2")]
    assert bench.register == [("begun", "A-1"), ("reported", "A-1")]


def test_a_name_is_for_one_sample_and_a_used_one_must_be_scanned_twice(bench: Bench) -> None:
    first = (scan("A-1"), TOGGLE, FINISH)
    once = (scan("A-1"), TOGGLE, FINISH)
    twice = (scan("A-1"), scan("A-1"), TOGGLE, FINISH)
    outcome = bench.run(*first, *once, *twice, QUIT, extra='samples = { automatic = "number" }\n')
    assert outcome.code == 0, outcome.err
    assert [name for event, name in bench.register if event == "begun"] == ["A-1", "000002", "A-1"]
    assert bench.notices == [("Used before", "Once more to count it again", "A-1")] * 2


def test_what_is_no_id_is_told_and_names_nothing(bench: Bench) -> None:
    outcome = bench.run(scan("banana"), TOGGLE, FINISH, QUIT, extra='samples = { pattern = "[A-Z]-[0-9]+" }\n')
    assert outcome.code == 0, outcome.err
    assert bench.notices == [("Not an id", "Scan or type it again", "banana")]
    assert bench.reports[0]["sample"]["sample_id"] != "banana"


def test_a_wrong_scan_is_taken_back_before_the_sample_is_begun(bench: Bench) -> None:
    bench.run(scan("A-1"), DISCARD, TOGGLE, FINISH, QUIT)
    assert bench.reports[0]["sample"]["sample_id"] != "A-1"


def test_a_discard_asks_and_anything_but_a_second_one_keeps_the_sample(bench: Bench) -> None:
    outcome = bench.run(scan("A-1"), TOGGLE, DISCARD, TOGGLE, DISCARD, FINISH, QUIT)
    assert outcome.code == 0, outcome.err
    assert [title for title, *_ in bench.notices] == ["Discard?", "Discard?"]
    assert bench.reports[0]["fields"]["counted"] > 0


def test_a_discard_that_is_confirmed_reports_nothing_and_is_written_down(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "leukoscope"):
        outcome = bench.run(scan("A-1"), TOGGLE, DISCARD, DISCARD, QUIT)
    assert outcome.code == 0, outcome.err
    assert bench.reports == []
    assert bench.in_progress == []
    assert bench.register == [("begun", "A-1"), ("discarded", "A-1")]
    assert "sample discarded by the technician" in caplog.text
    assert "A-1" not in caplog.text
    assert bench.notices[-1] == ("Discarded", "Nothing is reported", "A-1")


def test_a_second_discard_that_comes_too_late_asks_again(bench: Bench) -> None:
    # Every look at the clock takes a second.
    times = iter(range(10**9))
    slow = mock.patch.dict(Service.__init__.__kwdefaults__, clock_s=lambda: float(next(times)))
    with slow, mock.patch.object(Service, "_ask_discard", autospec=True, side_effect=Service._ask_discard) as asked:
        events = (scan("A-1"), TOGGLE, DISCARD, DISCARD, FINISH, QUIT)
        outcome = bench.run(*events, extra="samples = { confirm_s = 1 }\n")
    assert outcome.code == 0, outcome.err
    assert asked.call_count == 2
    assert len(bench.reports) == 1


def test_a_sample_that_lost_its_power_goes_on_with_every_field_and_says_so(bench: Bench) -> None:
    bench.pull_the_plug(frames=3)
    assert bench.reports == []
    (interrupted,) = find_interrupted(bench.folder / "state" / "in-progress")
    assert sum("field" in event for event in interrupted.events) == 3
    screens: list[Any] = []
    counting = Presenter.counting

    def seen(narrator: Presenter, sample: Any, *rest: Any, **how: Any) -> None:
        screens.append((sample.tally.fields_counted + sample.tally.fields_rejected, how["paused"], how["resumed"]))
        counting(narrator, sample, *rest, **how)

    with mock.patch.object(Presenter, "counting", seen):
        outcome = bench.run(scan("B-2"), TOGGLE, FINISH, QUIT)
    assert outcome.code == 0, outcome.err
    assert screens[0] == (3, True, True), "it waits for the hand and says why"
    assert bench.notices == [("In progress", "Finish S-1 first", "B-2")]
    (report,) = bench.reports
    assert report["id"] == interrupted.header["report_id"]
    assert report["sample"]["sample_id"] == "S-1"
    assert report["sample"]["resumed"] == 1
    assert report["sample"]["started_at"][:19] == interrupted.header["started_at"][:19]
    assert report["fields"]["counted"] + report["fields"]["rejected"] > 3
    assert bench.register == [("begun", "S-1"), ("resumed", "S-1"), ("reported", "S-1")]
    assert bench.in_progress == []


def test_what_was_counted_before_the_cut_is_not_counted_again_after_it(bench: Bench) -> None:
    bench.when, bench.camera = "moved", SMALL.replace('"simulated",', '"simulated", dwell_frames = 3, columns = 3,')
    bench.pull_the_plug(frames=3 * 3)
    (interrupted,) = find_interrupted(bench.folder / "state" / "in-progress")
    before = sum("field" in event for event in interrupted.events)
    assert before == 3
    # The slide begins at its first place again: three places known, then two new ones.
    frames = iter(range(3 * 5))
    capture = SimulatedCamera.capture

    def unplugged(camera: SimulatedCamera) -> Frame:
        if next(frames, None) is None:
            raise CameraError("the camera was unplugged", "plug it in")
        return capture(camera)

    with mock.patch.object(SimulatedCamera, "capture", unplugged):
        assert bench.run(TOGGLE).code == 2
    (report,) = bench.reports
    assert report["sample"]["resumed"] == 1
    assert report["fields"]["counted"] == 5
    area_of_a_field_um2 = 320 * 240 * 0.127**2
    assert report["sample"]["area_um2"] == pytest.approx(5 * area_of_a_field_um2, rel=0.02)


def test_a_resumed_sample_can_be_discarded(bench: Bench) -> None:
    bench.pull_the_plug(frames=1)
    bench.run(DISCARD, DISCARD, QUIT)
    assert bench.reports == []
    assert bench.in_progress == []
    assert bench.register[-1] == ("discarded", "S-1")


def test_a_report_that_was_kept_is_not_made_twice_when_its_journal_stayed(bench: Bench) -> None:
    with mock.patch.object(SampleProgress, "end", lambda progress: progress.close()):
        bench.run(scan("A-1"), TOGGLE, FINISH, QUIT)
    assert len(bench.in_progress) == 1
    bench.run(QUIT)
    assert bench.in_progress == []
    assert len(bench.reports) == 1


def test_a_report_whose_file_was_not_written_before_the_cut_gets_it_at_the_next_start(bench: Bench) -> None:
    with mock.patch.object(ReportFiles, "write", side_effect=PulledPlug), pytest.raises(PulledPlug):
        bench.run(TOGGLE, white_cells=2)
    assert bench.reports == []
    bench.run(QUIT, white_cells=2)
    (report,) = bench.reports
    assert report["sample"]["finished_because"] == "enough_cells"
    assert bench.in_progress == []


def test_a_deleted_outbox_is_a_fault_on_the_display_and_its_reports_are_sent_again(bench: Bench) -> None:
    bench.run(TOGGLE, FINISH, QUIT)
    for part in (bench.folder / "state").glob("outbox.sqlite*"):
        part.unlink()
    shown = faults_shown(bench)
    assert shown == ["The outbox was deleted; 1 reports are sent again"]
    with Outbox.open(bench.folder / "state" / "outbox.sqlite") as outbox:
        assert outbox.counts().pending == 1
    assert faults_shown(bench) == []


def test_a_planted_report_is_a_fault_on_the_display_at_every_start(bench: Bench) -> None:
    bench.run(TOGGLE, FINISH, QUIT)
    (path,) = (bench.folder / "state" / "reports").iterdir()
    path.with_name(path.name.replace("-v1.", "-v2.")).write_bytes(path.read_bytes())
    for _ in range(2):
        assert faults_shown(bench) == [
            "Files in reports differ from the outbox: 1 not its own; leukoscope audit verify names them"
        ]


def faults_shown(bench: Bench) -> list[str]:
    """What the first screen warns of when the device starts."""
    ready, shown = Presenter.ready, list[list[str]]()

    def noted(presenter: Presenter, *rest: Any, **more: Any) -> None:
        shown.append(list(presenter.faults))
        ready(presenter, *rest, **more)

    with mock.patch.object(Presenter, "ready", noted):
        bench.run(QUIT)
    return shown[0]


def test_a_sample_that_only_lacked_its_report_gets_it_at_once(bench: Bench) -> None:
    with mock.patch.object(ReportFiling, "report", side_effect=PulledPlug), pytest.raises(PulledPlug):
        bench.run(TOGGLE, white_cells=2)
    assert bench.reports == []
    bench.run(QUIT, white_cells=2)
    (report,) = bench.reports
    assert report["sample"]["finished_because"] == "enough_cells"


def test_a_sample_counted_with_other_parts_is_set_aside_and_told(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.pull_the_plug(frames=1)
    (name,) = {name for _, name in bench.register}
    bench.run(QUIT, extra='models = { engine = { driver = "litert" } }\n')
    assert bench.reports == []
    assert "was cut short with other networks" in caplog.text
    assert name not in caplog.text
    (aside,) = bench.in_progress
    assert aside.name.endswith(".other-parts")


def test_counting_goes_on_where_its_journal_cannot_be_written_and_is_caught_up_with(
    bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from leukoscope.service.event_journal import EventJournal

    append, failing = EventJournal.append, iter([True, True])

    def full(checkpoint: EventJournal, event: Any, *, durable: bool = True) -> None:
        if "field" in event and next(failing, False):
            raise OutboxError("what is counted cannot be kept", "make room")
        append(checkpoint, event, durable=durable)

    with mock.patch.object(EventJournal, "append", full):
        bench.pull_the_plug(frames=4)
    assert "cannot be kept: make room" in caplog.text
    (interrupted,) = find_interrupted(bench.folder / "state" / "in-progress")
    assert sum("field" in event for event in interrupted.events) == 4


def test_an_interrupted_camera_is_shown_and_counted_with_again(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    capture, turns = SimulatedCamera.capture, iter(range(10**6))

    def away_for_a_while(camera: SimulatedCamera) -> Frame:
        if 2 <= next(turns) < 6:
            raise CameraInterrupted("the camera at /dev/video0 is gone", "plug it in")
        return capture(camera)

    with mock.patch.object(SimulatedCamera, "capture", away_for_a_while):
        outcome = bench.run(TOGGLE, *[{"action": "stage_up"}] * 6, FINISH, QUIT)
    assert outcome.code == 0, outcome.err
    assert caplog.text.count("is gone: plug it in") == 1, "once in the log is enough"
    assert bench.reports[0]["fields"]["counted"] > 2


def test_signals_follow_the_sample(bench: Bench) -> None:
    message: list[Event] = []
    signal = GpioIndicator.signal

    def heard(signals: GpioIndicator, event: Event) -> None:
        message.append(event)
        signal(signals, event)

    pins = 'signals = { green_pin = 5, red_pin = 6, buzzer_pin = 13, pin_factory = "mock" }\n'
    with mock.patch.object(GpioIndicator, "signal", heard):
        outcome = bench.run(scan("A-1"), TOGGLE, TOGGLE, scan("?"), TOGGLE, FINISH, QUIT, extra=pins)
    assert outcome.code == 0, outcome.err
    states = [event for event in message if event not in (Event.FIELD_COUNTED, Event.REFUSED)]
    assert states == [Event.READY, Event.COUNTING, Event.PAUSED, Event.COUNTING, Event.DONE]
    assert Event.FIELD_COUNTED in message


def test_a_fault_is_signalled(bench: Bench) -> None:
    message: list[Event] = []
    pins = 'signals = { red_pin = 6, pin_factory = "mock" }\n'
    with (
        mock.patch.object(GpioIndicator, "signal", lambda _, event: message.append(event)),
        mock.patch.object(SimulatedCamera, "capture", side_effect=CameraError("the camera failed", "check it")),
    ):
        assert bench.run(TOGGLE, extra=pins).code == 2
    assert message[-1] is Event.FAULT


def test_a_very_long_press_before_any_sample_leads_to_the_calibrations_and_the_device_starts_again(
    bench: Bench, tmp_path: Path
) -> None:
    with (
        Supervisor(tmp_path) as supervisor,
        mock.patch.dict("os.environ", {"NOTIFY_SOCKET": supervisor.address}),
        mock.patch("leukoscope.service.run.show_menu") as led,
        mock.patch("leukoscope.service.run.start_again") as again,
    ):
        outcome = bench.run(DISCARD, QUIT, calibration='{ file = "simulated.toml" }')
        message = supervisor.heard()
    assert outcome.code == 0, outcome.err
    # systemd ends what says that it stops, and the process goes on.
    assert "STATUS=starting again" in message
    assert not any("STOPPING" in line for line in message)
    assert [page.title for page in led.call_args.args[1]][:2] == ["Scale", "Dark level"]
    again.assert_called_once_with()
    assert bench.reports == []


def test_a_very_long_press_takes_back_a_name_before_it_leads_anywhere(bench: Bench) -> None:
    with mock.patch("leukoscope.service.run.show_menu") as led:
        outcome = bench.run(scan("A-1"), DISCARD, QUIT, calibration='{ file = "simulated.toml" }')
    assert outcome.code == 0, outcome.err
    led.assert_not_called()
