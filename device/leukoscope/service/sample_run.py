"""One sample from its first frame to its report, with everything gathered for it."""

import logging
import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from leukoscope.counting.gallery import Gallery
from leukoscope.displays.album import Album
from leukoscope.displays.live_picture import live_picture
from leukoscope.errors import DisplayError
from leukoscope.instrument import Look, Sample
from leukoscope.outbox.field_pictures import FieldPictures
from leukoscope.quality_control.sample_metrics import SampleMetrics
from leukoscope.service.bench import Bench
from leukoscope.service.event_journal import InterruptedSample
from leukoscope.service.presenter import Presenter
from leukoscope.service.sample_log import SampleLog
from leukoscope.specimen.cell import CellKind
from leukoscope.specimen.field import CountedField, Flaw, RejectedField
from leukoscope.specimen.sample import SampleReport
from leukoscope.statistics.rules import Rules

_log = logging.getLogger("leukoscope")


class SampleRun:
    """One sample: counting or paused, its pictures, and how long it took."""

    def __init__(
        self,
        bench: Bench,
        rules: Rules,
        sample_log: SampleLog,
        sample_id: str,
        now: Callable[[], datetime],
        clock_s: Callable[[], float],
        before: InterruptedSample | None = None,
    ) -> None:
        """Paused at first.

        Args:
            bench: what it is counted on.
            rules: what its report points out; they stay, whatever is commanded meanwhile.
            sample_log: where what a power cut must not take is written down.
            sample_id: what the technician calls the specimen.
            now: the time of day.
            clock_s: seconds; only runs forward.
            before: what was kept of it when a power cut ended it; None for a new sample.
        """
        self._sample_log, self._clock_s, self._before = sample_log, clock_s, before
        report_id = str(uuid.uuid4()) if before is None else before.header["report_id"]
        naming = bench.naming()
        self._goal = bench.settings.counting.white_cells
        self.sample = Sample(
            bench.instrument,
            bench.new_tally(naming, rules),
            bench.settings.new_field,
            report_id=report_id,
            sample_id=sample_id,
            now=now,
            keep=self._keep_timed,
            stills=bench.camera.stills,
        )
        self.grounds = bench.grounds_of(naming, rules)
        """What the numbers of its report rest on beside its cells, as JSON."""
        storage = bench.settings.storage
        # Pictures of before must not be overwritten.
        times_resumed = 0 if before is None else 1 + sum("resumed" in event for event in before.events)
        folder = report_id if not times_resumed else f"{report_id}-resumed-{times_resumed}"
        self._album = Album(storage.folder / "fields" / folder, storage.annotated_fields)
        self.gallery = Gallery(bench.settings.cells)
        self._around = FieldPictures(storage.folder)
        self._fields_left = bench.settings.cells.fields
        self._fields_max_bytes = bench.settings.cells.fields_max_mib * 2**20
        self.watch = SampleMetrics()
        self.counting = False
        self.cut_short = before is not None
        """It went on after a power cut, and the technician has not pressed since."""
        self.last_flaw: Flaw | None = None
        """Why the newest field was refused; None when it was counted."""
        self.passed_over = Counter[str]()
        """Pictures that were not examined, by the reason."""
        self.lost = False
        """The slide was lost from view before the newest field, which began another patch."""
        self._patches = 0
        self._before_s = 0.0
        self._since_s = 0.0
        self._tenth = 0

    def begin(self) -> None:
        """Be written down from now on; a sample that was cut short takes in what was kept of it."""
        before, self._before = self._before, None
        if before is None:
            self._sample_log.begin(self.sample)
            _log.info("sample started, report %s", self.sample.report_id)
            return
        self._before_s = max((event.get("elapsed_s", 0.0) for event in before.events), default=0.0)
        self._sample_log.go_on(before, self.sample)
        _log.warning(
            "a sample was cut short and goes on with %d fields, report %s",
            self.sample.tally.fields_counted,
            self.sample.report_id,
        )

    def go_on(self) -> None:
        """Count, for the first time or again."""
        self.cut_short = False
        self._patches = self.sample.patches
        self._since_s, self.counting = self._clock_s(), True

    def pause(self) -> None:
        """Look at nothing until the next press."""
        self._before_s, self.counting = self.elapsed_s, False

    @property
    def elapsed_s(self) -> float:
        """Seconds that it has been counted for."""
        return self._before_s + (self._clock_s() - self._since_s if self.counting else 0.0)

    def take_in(self, look: Look) -> None:
        """Keep what a look showed besides the count; pictures that cannot be kept are no reason to stop."""
        field = look.field
        self.last_flaw = field.quality.flaws[0] if isinstance(field, RejectedField) else None
        patches, self._patches = self._patches, self.sample.patches
        self.lost = 0 < patches < self._patches
        self.watch.take(field, look.times_ms.total)
        self._log_progress()
        try:
            self.gallery.add(field, self.sample.tally.fields_counted)
            self._album.keep(field)
            self._keep_around(field)
        except (OSError, DisplayError) as error:
            _log.warning("pictures: %s", error)

    def _keep_around(self, field: CountedField | RejectedField) -> None:
        """Keep a small picture of a field with white cells, for those who look at one of them."""
        if isinstance(field, RejectedField) or not self._fields_left:
            return
        if any(cell.instance.kind is CellKind.WBC for cell in field.cells):
            self._fields_left -= 1
            pixels = field.micrograph.pixels
            rows, cols = pixels.shape[:2]
            number = self.sample.tally.fields_counted
            self._around.keep(self.sample.report_id, number, live_picture(pixels), cols, rows)

    def forget_pictures(self) -> None:
        """The sample is thrown away."""
        self._around.forget(self.sample.report_id)

    def keep_fields(self) -> None:
        """Keep where the fields lie, and let the pictures of the oldest reports' fields go."""
        try:
            self._around.keep_places(self.sample.report_id, self.sample.places)
            self._around.make_room(self._fields_max_bytes)
        except OSError as error:
            _log.warning("pictures of fields: %s", error)

    def why_nothing(self, report: SampleReport) -> str:
        """What happened to the pictures, for a sample of which none was counted."""
        flaws = report.fields_rejected.items()
        refused = [f"{count} refused as {flaw.replace('_', ' ')}" for flaw, count in flaws]
        passed_over = [f"{count} {reason}" for reason, count in sorted(self.passed_over.items())]
        return ", ".join(refused + passed_over) or "there was no picture"

    def show_on(self, presenter: Presenter) -> None:
        """Show how far it is."""
        presenter.counting(
            self.sample,
            self.last_flaw,
            self.elapsed_s,
            paused=not self.counting,
            resumed=self.cut_short,
            lost=self.lost,
        )

    def _keep_timed(self, event: Mapping[str, Any], durable: bool) -> None:
        self._sample_log.keep({**event, "elapsed_s": round(self.elapsed_s, 1)}, durable)

    def _log_progress(self) -> None:
        """Log a line at every tenth of the goal, for the person who reads the journal."""
        tally = self.sample.tally
        tenth = min(10, 10 * tally.white_cells // self._goal)
        if tenth > self._tenth:
            self._tenth = tenth
            _log.info(
                "%d of %d white cells in %d fields, %d refused",
                tally.white_cells,
                self._goal,
                tally.fields_counted,
                tally.fields_rejected,
            )
