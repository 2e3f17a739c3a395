"""What can be shown to the technician: one frozen record per screen, without a word about pixels."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from leukoscope.specimen.field import Flaw
from leukoscope.specimen.sample import ClassCount, Mode, SampleReport, Source


class Hint(StrEnum):
    """What the technician should do with the slide, the focus or the lamp."""

    MOVE = "move"
    """This field is done, or was counted before."""
    WAIT = "wait"
    """The slide moves, or a field is being counted."""
    FOCUS = "focus"
    TOO_CROWDED = "too_crowded"
    NO_CELLS = "no_cells"
    SLOWER = "slower"
    """The slide moved too fast to be followed; what was counted before may be counted again."""
    TOO_BRIGHT = "too_bright"
    TOO_DARK = "too_dark"
    NO_SMEAR = "no_smear"
    """The colours are none that a stain gives."""
    NO_BLOOD = "no_blood"
    """What is seen are no cells."""
    CROP = "crop"
    """The camera sees the edge of the eyepiece."""


_HINT_OF_FLAW = {
    Flaw.OUT_OF_FOCUS: Hint.FOCUS,
    Flaw.OVEREXPOSED: Hint.TOO_BRIGHT,
    Flaw.UNDEREXPOSED: Hint.TOO_DARK,
    Flaw.EMPTY: Hint.NO_CELLS,
    Flaw.CROWDED: Hint.TOO_CROWDED,
    Flaw.FOREIGN_COLOURS: Hint.NO_SMEAR,
    Flaw.NO_BLOOD: Hint.NO_BLOOD,
    Flaw.BLACK_SURROUND: Hint.CROP,
}


def hint_for(flaw: Flaw) -> Hint:
    """What to do about a field that was refused for this flaw."""
    return _HINT_OF_FLAW[flaw]


class BrokerState(StrEnum):
    """Whether results can leave the bench at this moment."""

    CONNECTED = "connected"
    OFFLINE = "offline"
    """Results are kept and sent later."""
    NONE = "none"
    """No broker is configured; results stay on the device."""


class Delivery(StrEnum):
    """What became of a report."""

    SENT = "sent"
    """The broker acknowledged it."""
    QUEUED = "queued"
    """It is safe in the outbox and will be sent."""
    KEPT = "kept"
    """It stays on this device: no broker is configured."""


@dataclass(frozen=True, slots=True)
class DifferentialLine:
    """One class of the differential, in percent of the white cells."""

    label: str
    """Short label from the classifier's bundle, such as "SEG"."""
    percent: float
    """0-100."""
    low: float
    """Lower end of the 95 % interval, 0-100."""
    high: float
    """Upper end of the 95 % interval, 0-100."""


@dataclass(frozen=True, slots=True)
class Precision:
    """What a narrower interval would cost."""

    label: str
    """The class it is about, as on the screen."""
    percent: float
    """How far the interval may reach to either side, percent of the white cells."""
    more_cells: int
    """White cells still to be counted for that; 0 when reached."""


class Step(StrEnum):
    """What is done while the program starts."""

    OUTBOX = "Opening the outbox"
    NETWORKS = "Loading the networks"
    CALIBRATION = "Reading the calibration"
    RULES = "Reading the rules"
    CAMERA = "Opening the camera"
    CONTROLS = "Opening the controls"


@dataclass(frozen=True, slots=True)
class Starting:
    """The program loads its parts."""

    step: str
    """What is being done, such as "Loading the segmenter"."""
    version: str


@dataclass(frozen=True, slots=True)
class Ready:
    """Everything works; the next press starts a sample."""

    sample_hint: str
    """What the next sample will be called; empty where it has no name yet."""
    broker: BrokerState
    source: Source
    pending: int = 0
    """Reports in the outbox that still wait to be sent."""
    warning: str = ""
    """Something to know before counting: a nominal calibration, a dim lamp."""
    mode: Mode = "blood"
    """What the next smear has to be of."""


@dataclass(frozen=True, slots=True)
class Looking:
    """The technician has something to do before the next field can be counted."""

    hint: Hint
    white_so_far: int
    white_goal: int
    source: Source
    mode: Mode = "blood"


@dataclass(frozen=True, slots=True)
class Counting:
    """A sample under way."""

    white_so_far: int
    white_goal: int
    """White cells asked for; at least 1."""
    fields_counted: int
    fields_rejected: int
    last_flaw: Flaw | None
    """Why the newest field was refused; None when it was counted."""
    differential: tuple[DifferentialLine, ...]
    """In the bundle's order; a small screen shows the largest and says how many it leaves out."""
    red_cells: int
    platelets: int
    area_mm2: float
    """Slide examined, what several fields show once."""
    precision: Precision | None
    """None before the first white cell."""
    elapsed_s: float
    """Seconds since the sample was started."""
    paused: bool
    source: Source
    resumed: bool = False
    """It was cut short by a power cut, and waits for the technician to go on."""
    mode: Mode = "blood"
    lost: bool = False
    """The slide was lost from view before the newest field: cells from before may be counted again."""
    unsure: int = 0
    """White cells so far that could not be named."""
    suspects: int = 0
    """White cells so far that may be blasts, or what else the classifier points out, though not named so."""


@dataclass(frozen=True, slots=True)
class Result:
    """A finished sample."""

    sample_id: str
    differential: tuple[DifferentialLine, ...]
    white_cells: int
    red_cell_diameter_um: float | None
    """Mean diameter, micrometres; None without red cells."""
    findings: tuple[str, ...]
    warnings: tuple[str, ...]
    """What limits the trust in this result."""
    source: Source
    mode: Mode = "blood"
    page: int = 1
    """Which of its pages, from 1: the differential is on the first, findings follow."""
    pages: int = 1


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of the report of a finished sample."""

    report_id: str
    """The first characters of the report's id, enough to tell it from its neighbours."""
    pending: int
    """Reports in the outbox that still wait, this one included while it is queued."""
    delivery: Delivery
    source: Source
    why: str = ""
    """What keeps a queued report from being sent, in a line; empty where nothing is known to."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A part failed and a person has to do something."""

    part: str
    """Such as "Camera"."""
    happened: str
    todo: str


@dataclass(frozen=True, slots=True)
class Guiding:
    """Something the technician is asked for: a step of a calibration, or an answer."""

    part: str
    """Such as "Flat field" or "Discard?"."""
    todo: str
    """What the technician has to do now."""
    note: str
    """How far it is, or what was measured."""
    share: float | None
    """Length of the bar, 0-1; None for no bar."""
    source: Source


Screen = Starting | Ready | Looking | Counting | Result | Sent | Fault | Guiding
"""Whatever can be drawn."""


def differential_lines(counts: Iterable[ClassCount], short_labels: Mapping[str, str]) -> tuple[DifferentialLine, ...]:
    """The lines of a differential, in the order given; a class without a short label shows its key."""
    return tuple(
        DifferentialLine(
            label=short_labels.get(line.cell_class, line.cell_class),
            percent=100 * line.share,
            low=100 * line.low,
            high=100 * line.high,
        )
        for line in counts
    )


def result_of(report: SampleReport, short_labels: Mapping[str, str]) -> Result:
    """The result screen of a report, with everything that limits its trust as a warning."""
    provenance = report.provenance
    warnings = []
    # Reports of older software have no finding on it.
    if not provenance.calibration_measured and all(finding.code != "uncalibrated" for finding in report.findings):
        warnings.append("Calibration is nominal: sizes were not measured on this bench")
    if provenance.clock_synchronised is False:
        warnings.append("Clock is not synchronised")
    return Result(
        sample_id=report.sample_id,
        differential=differential_lines(report.differential, short_labels),
        white_cells=report.white_cells,
        red_cell_diameter_um=report.red_cells.mean_diameter_um,
        findings=tuple(finding.text for finding in report.findings),
        warnings=tuple(warnings),
        source=provenance.source,
        mode="marrow" if report.rules.mode == "marrow" else "blood",
    )


FINDINGS_PER_PAGE = 2
"""As many as a small display shows legibly."""


def pages_of(result: Result) -> tuple[Result, ...]:
    """A result as pages to turn: all of it in short, then its findings and warnings in full."""
    lines = [(text, False) for text in result.findings] + [(text, True) for text in result.warnings]
    parts = [lines[start : start + FINDINGS_PER_PAGE] for start in range(0, len(lines), FINDINGS_PER_PAGE)]
    pages = 1 + len(parts)
    return (
        replace(result, pages=pages),
        *(
            replace(
                result,
                differential=(),
                findings=tuple(text for text, warns in part if not warns),
                warnings=tuple(text for text, warns in part if warns),
                page=number,
                pages=pages,
            )
            for number, part in enumerate(parts, 2)
        ),
    )
