"""A bench whose every part is open."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from leukoscope.cameras import Camera
from leukoscope.controls import Action, Control
from leukoscope.counting.tally import Tally
from leukoscope.delivery.sink import Sink
from leukoscope.displays.panel import Panel
from leukoscope.indicators import Indicator
from leukoscope.instrument import Instrument
from leukoscope.messages.identity import Identity
from leukoscope.outbox.command_inbox import CommandInbox
from leukoscope.outbox.store import Outbox
from leukoscope.quality_control.trend import Trend
from leukoscope.service.page_door import PageDoor
from leukoscope.settings import BenchSettings
from leukoscope.specimen.sample import Provenance
from leukoscope.statistics.recount import Grounds
from leukoscope.statistics.rules import Rules
from leukoscope.statistics.summary import Naming

STAGE_STEP_UM = 20.0
"""How far a key moves the simulated stage: about a quarter of a field."""


@dataclass(frozen=True, slots=True)
class Bench:
    """A bench whose every part is open."""

    settings: BenchSettings
    camera: Camera
    controls: tuple[Control, ...]
    panel: Panel
    signals: Indicator | None
    instrument: Instrument
    naming: Callable[[], Naming]
    """What is known now of how the classifier names cells; a new verification holds from the next sample on."""
    rules: Rules
    """As the settings name them; commands can set others."""
    outbox: Outbox
    trend: Trend
    sink: Sink
    commands: CommandInbox
    page: PageDoor
    """To the page in the browser."""
    identity: Identity
    short_labels: Mapping[str, str]
    """Class key to what fits on a small display."""
    faults: tuple[str, ...]
    """What was found wrong with what was kept before, each with what to do."""
    warning: str
    """Something the technician should know before counting; empty when there is nothing."""
    idle_view: bool
    """A window shows the field also when nothing is counted; only where looking uses nothing up."""
    provenance: Callable[[], Provenance]
    """What a report made now would have to say about its origin."""
    ready: Callable[[], None]
    """To be called once the device is ready: bundles on trial are confirmed."""

    def new_tally(self, naming: Naming, rules: Rules) -> Tally:
        """An empty count for the next sample."""
        return Tally(naming, self.settings.counting, rules)

    def grounds_of(self, naming: Naming, rules: Rules) -> bytes:
        """What the numbers of a report rest on beside its cells, as JSON; reviews recount by it years later."""
        return Grounds(naming, self.settings.counting.interval_width, rules).to_json()

    def move_stage(self, action: Action) -> None:
        """Move a stage that can be moved, by a step; a hand moves all others."""
        if action in _STAGE_STEPS:
            right, down = _STAGE_STEPS[action]
            self.camera.move_stage(right * STAGE_STEP_UM, down * STAGE_STEP_UM)


_STAGE_STEPS = {
    Action.STAGE_LEFT: (-1, 0),
    Action.STAGE_RIGHT: (1, 0),
    Action.STAGE_UP: (0, -1),
    Action.STAGE_DOWN: (0, 1),
}
