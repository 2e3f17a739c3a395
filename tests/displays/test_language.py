"""The screens in other languages: complete, the right way round, and no longer than the glass."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import polib  # type: ignore[import-untyped]
import pytest

import leukoscope
from leukoscope.calibrating.asks import Ask, Next, Title
from leukoscope.displays.canvas import Canvas
from leukoscope.displays.colour import paint_colour
from leukoscope.displays.compact import paint_compact
from leukoscope.displays.dotcanvas import DotCanvas
from leukoscope.displays.fault_text import fault_of
from leukoscope.displays.gist import gist
from leukoscope.displays.language import Language, Words, read_catalogue, words_of
from leukoscope.displays.panel import Panel
from leukoscope.displays.screens import draw
from leukoscope.displays.state import (
    BrokerState,
    Counting,
    Delivery,
    Fault,
    Guiding,
    Hint,
    Looking,
    Precision,
    Ready,
    Result,
    Screen,
    Sent,
    Starting,
    Step,
    result_of,
)
from leukoscope.displays.wording import specimen
from leukoscope.errors import BrokerError, CalibrationError, CameraError, ControlError, LeukoscopeError
from leukoscope.quality_control.run_record import MEASURES
from leukoscope.quality_control.series import alarms_of
from leukoscope.sentence import Sentence, Verbatim, one_after_another
from leukoscope.service.notices import NoticeTitle, NoticeTodo
from leukoscope.settings import BenchSettings
from leukoscope.specimen.field import Flaw
from leukoscope.specimen.sample import Source
from leukoscope.statistics.estimates import counted_ratio, counted_share, variation
from leukoscope.statistics.rules import Rules
from leukoscope.web.words import catalogue as page_catalogue
from tests.displays.exhibits import EXHIBITS
from tests.displays.test_layout import COLOUR_SIZES
from tests.displays.test_show import Slate
from tests.messages.examples import report
from tests.quality_control.records import check
from tests.statistics.test_findings import MARROW, NORMAL, found

LANGUAGES = [language for language in get_args(Language) if language != "en"]
EACH = pytest.mark.parametrize("language", LANGUAGES)
CATALOGUES = Path(leukoscope.__file__).parent / "displays" / "languages"
SAME_IN_ALL = {"leukoscope", "Area", "Instrument", "Broker", "certain", "probable", "PAUSE", "lymphocytes", "monocytes"}
"""Words that one of the languages happens to share with English."""

EVERY_KIND: list[Screen] = [
    *(Looking(hint, 3, 100, source) for hint in Hint for source in Source),
    *(Ready("", broker, Source.LIVE, pending) for broker in BrokerState for pending in (0, 2)),
    *(
        Counting(1, 9, 5, 2, flaw, (), 9, 9, 0.5, None, 1.0, paused, Source.LIVE)
        for flaw in Flaw
        for paused in (True, False)
    ),
    *(
        Counting(1, 9, 1, 2, None, (), 9, 9, 0.5, more, 1.0, False, Source.LIVE)
        for more in (None, Precision("EOS", 5, 9))
    ),
    Counting(1, 9, 1, 2, None, (), 9, 9, 0.5, None, 1.0, False, Source.LIVE, lost=True),
    *(Sent("3f9c", pending, delivery, Source.LIVE) for pending in (0, 1, 2) for delivery in Delivery),
    *(Starting(step, "0.1.0") for step in Step),
    Result("2026-04", EXHIBITS["result_plain"].differential, 9, 7.0, (), (), Source.LIVE),
    Result("2026-04", (), 9, None, (), (), Source.LIVE),
    Ready("", BrokerState.NONE, Source.LIVE, mode="marrow"),
    Looking(Hint.MOVE, 3, 500, Source.LIVE, mode="marrow"),
    Counting(1, 500, 5, 2, None, (), 9, 9, 0.5, None, 1.0, False, Source.LIVE, mode="marrow"),
    Result("2026-04", EXHIBITS["result_plain"].differential, 9, 7.0, (), (), Source.LIVE, mode="marrow"),
    Result("2026-04", (), 9, None, (), (), Source.LIVE, mode="marrow"),
]
"""Screens that hold no sentence but those of the program."""


def texts_of(screen: Screen, words: Words, size: tuple[int, int]) -> list[str]:
    """What is written on colour glass."""
    canvas = Canvas(size, words)
    paint_colour(screen, canvas)
    return [placed.text for placed in canvas.placed]


def dots_of(screen: Screen, words: Words) -> list[str]:
    """What is written on 128x64."""
    canvas = DotCanvas((128, 64), words("+{count} more"))
    paint_compact(gist(screen, words), canvas)
    return [placed.text for placed in canvas.placed]


def untranslated(english: list[str], message: list[str]) -> set[str]:
    both = set(english) & set(message)
    return {text for text in both if re.search(r"[a-z]{3}|[A-Z]{4}", text)} - SAME_IN_ALL - {"BAND", "2026-04"}


@EACH
@pytest.mark.parametrize("screen", EVERY_KIND, ids=lambda screen: type(screen).__name__)
def test_every_word_of_every_screen_is_told_in_the_language_and_fits(screen: Screen, language: Language) -> None:
    words = words_of(language)
    for size in COLOUR_SIZES:
        message = texts_of(screen, words, size)
        assert untranslated(texts_of(screen, words_of("en"), size), message) == set()
        assert not [text for text in message if text.endswith("…")]
    message = dots_of(screen, words)
    assert untranslated(dots_of(screen, words_of("en")), message) == set()
    assert not [text for text in message if text.endswith("..")]


FINDINGS = [
    *found({"segmented": 70, "blast": 10, "erythroblast": 3, "band": 20}).values(),
    *found({**NORMAL, "eosinophil": 60, "basophil": 30, "lymphocyte": 9, "monocyte": 60, "unsure": 90}).values(),
    *found({"segmented": 5}).values(),
    *found({"erythroblast": 2}).values(),
    *found({"segmented": 60, "erythroblast": 50}, MARROW).values(),
    *found({"segmented": 60, "erythroblast": 5}, MARROW).values(),
    *found({"segmented": 60, "erythroblast": 20}, MARROW).values(),
    *found(
        NORMAL,
        diameter_cv=variation(0.3, 2000),
        irregular=counted_share(1500, 2000),
        platelets_per_red_cell=counted_ratio(2, 2000),
    ).values(),
    *found({**NORMAL, "thrombocyte_aggregation": 3}, platelets_per_red_cell=counted_ratio(2, 2000)).values(),
    *found(NORMAL, platelets_per_red_cell=counted_ratio(900, 2000), patches=3).values(),
    *found(NORMAL, red_cell_um=6.1).values(),
    *found({**NORMAL, "unsure": 90}, MARROW, red_cell_um=8.3).values(),
]


@EACH
def test_every_finding_of_the_shipped_rules_is_told_whole(language: Language) -> None:
    words = words_of(language)
    assert len({finding.code for finding in FINDINGS}) > 15
    for finding in FINDINGS:
        message = words(finding.text)
        assert message != finding.text
        assert not re.search(r"\b(the|of|to|cells|counted|more|alone|likely|above|below|with)\b", message), message
        assert numbers(message) == numbers(finding.text)


def numbers(text: str) -> list[str]:
    return sorted(re.findall(r"\d+(?:\.\d+)?", text))


@EACH
def test_every_class_of_cells_the_shipped_rules_count_has_a_name(language: Language) -> None:
    catalogue = read_catalogue(language)
    named = {rule.words for mode in ("blood", "marrow") for rule in Rules.shipped(mode).share}
    assert named <= set(catalogue)


@EACH
def test_warnings_parts_and_alarms_are_told(language: Language) -> None:
    words = words_of(language)
    provenance = report().provenance
    doubtful = report(provenance=replace(provenance, calibration_measured=False))
    for warning in result_of(doubtful, {}).warnings:
        assert words(warning) != warning
    for error in LeukoscopeError.__subclasses__() + BrokerError.__subclasses__() + CameraError.__subclasses__():
        part = fault_of(error("x", "y")).part
        assert part in SAME_IN_ALL or words(part) != part
    baseline = [check(day, **flat(1.0)) for day in range(20)]
    alarms = alarms_of([*baseline, check(21, **flat(9.0))])
    assert len(alarms) == sum(measure.least_s is not None for measure in MEASURES.values())
    for alarm in alarms:
        assert words(alarm) != alarm
    assert words(one_after_another(alarms)).count(words(alarms[0])) == 1


def flat(value: float) -> dict[str, Any]:
    """Every measure at the same value."""
    return dict.fromkeys(MEASURES, value)


@EACH
def test_what_a_calibration_asks_of_the_hand_is_told(language: Language) -> None:
    words = words_of(language)
    for text in (*Ask, *Next, *(title for title in Title if title not in SAME_IN_ALL)):
        assert words(text) != text
    for ask in Ask:
        assert words(Sentence("{todo}, then press", todo=ask)).startswith(words(ask))


HANDS_ARE_ASKED: list[LeukoscopeError] = [
    CalibrationError(
        Sentence(
            "{part} refused, calibration in force: {id}; {reason}",
            part="flat",
            id="bench-7",
            reason=Sentence(
                "expected at least {least} blank fields, found {found} among {all} pictures (cells cover {share} of "
                "the fullest)",
                least=3,
                found=0,
                all=3,
                share="48%",
            ),
        ),
        "move to an empty place of the slide and take them again",
    ),
    CameraError(
        Sentence(
            "{happened} (tried {times} times in {seconds} s)",
            happened=Sentence("Pi camera {number} sent no frame within {seconds} s", number=0, seconds=5),
            times=9,
            seconds=60,
        ),
        "check the ribbon cable",
    ),
    ControlError(
        Sentence("the button has been down for {seconds} s", seconds=30),
        "it is stuck or shorted; free it or check its wires",
    ),
]


@EACH
@pytest.mark.parametrize("error", HANDS_ARE_ASKED, ids=lambda error: str(error)[:40])
def test_an_error_that_asks_a_hand_for_something_is_told(error: LeukoscopeError, language: Language) -> None:
    words, screen = words_of(language), fault_of(error)
    for english in (screen.happened, screen.todo):
        message = words(english)
        assert numbers(message) == numbers(english)
        assert not re.search(r"\b(the|of|or|is|was|within|found|expected|check|it)\b", message), message


@EACH
def test_what_a_calibration_found_is_told_whole(language: Language) -> None:
    found = Sentence("{used} blank fields were used, {refused} were left out because of cells.", used=6, refused=1)
    told = words_of(language)(Sentence("Done. {what}", what=found))
    assert numbers(told) == ["1", "6"]
    assert not re.search(r"\b(the|of|pictures|by|were|lines)\b", told), told


@EACH
def test_what_a_sample_asks_back_is_told_and_fits(language: Language) -> None:
    words = words_of(language)
    todos = [Sentence(todo, sample=Verbatim("2026-0412-07")) for todo in NoticeTodo]
    for text in (*NoticeTitle, *todos):
        assert words(text) != text
    for title in NoticeTitle:
        for todo in todos:
            told = dots_of(Guiding(title, todo, specimen("2026-0412-07"), None, Source.REPLAYED), words)
            assert not [text for text in told if text.endswith("..")]


def ids_of(source: str) -> Iterator[tuple[str, bool]]:
    """The ids in a source, as patterns, and whether they may go on: of sentences, and of what to do about errors."""
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call) and node.args):
        first, *others = call.args
        if isinstance(call.func, ast.Name) and call.func.id == "Sentence" and not isinstance(first, ast.Name):
            yield pattern(first), True
        if isinstance(first, ast.Call) and isinstance(first.func, ast.Name) and first.func.id == "Sentence":
            yield from ((pattern(todo), False) for todo in others[:1] if isinstance(todo, ast.Constant))


def pattern(text: ast.expr) -> str:
    parts = text.values if isinstance(text, ast.JoinedStr) else [text]
    return "".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+?" for part in parts)


def test_every_id_is_in_the_catalogues_or_begins_one_that_is() -> None:
    """The displays' catalogue, or the page's: what only a review may be refused for is never on the glass."""
    known = "\n".join((*read_catalogue("fr"), *page_catalogue("fr")))
    package = Path(leukoscope.__file__).parent
    ids = {one for path in package.rglob("*.py") if path.name != "sentence.py" for one in ids_of(path.read_text())}
    assert len(ids) > 60
    assert [one for one, more in ids if not re.search(rf"^{one}{'' if more else '$'}", known, re.MULTILINE)] == []


@EACH
def test_the_catalogue_is_one_that_gettexts_tools_read_alike(language: str) -> None:
    entries = polib.pofile(CATALOGUES / f"{language}.po")
    assert {entry.msgid: entry.msgstr for entry in entries} == read_catalogue(language)
    assert entries.percent_translated() == 100
    assert not entries.fuzzy_entries()


def test_all_catalogues_hold_the_same_sentences_with_the_same_fields() -> None:
    first, *others = (read_catalogue(language) for language in LANGUAGES)
    for other in others:
        assert set(first) == set(other)
    for catalogue in (first, *others):
        for english, message in catalogue.items():
            assert sorted(re.findall(r"{\w+}", english)) == sorted(re.findall(r"{\w+}", message)), english


def test_a_sentence_that_is_not_in_the_catalogue_stays_as_it_is() -> None:
    assert words_of("fr")("A brand new sentence, with {braces} 17 %") == "A brand new sentence, with {braces} 17 %"


def test_braces_in_what_stands_for_a_field_are_only_text() -> None:
    last = Sentence("! last: {flaw}", flaw="{0.__class__}")
    assert words_of("fr")(last) == "! dernier : {0.__class__}"


def test_the_name_of_a_specimen_is_never_translated() -> None:
    words = words_of("fr")
    assert words("Scale") == "Échelle"
    assert words(Verbatim("Scale")) == "Scale"
    for screen in (
        Result("Scale", (), 1, None, (), (), Source.LIVE),
        Ready("Scale", BrokerState.NONE, Source.LIVE),
    ):
        assert "Scale" in texts_of(screen, words, (240, 240))
        assert "Scale" in dots_of(screen, words)


def test_a_panel_speaks_its_language_on_every_display() -> None:
    words, slate = words_of("es"), Slate((128, 64), True)
    screen = Fault("Camera", "x", "y")
    Panel([slate], words).show(screen)
    assert slate.shown == [draw(screen, (128, 64), True, words)]
    assert slate.shown != [draw(screen, (128, 64), True)]


def test_the_settings_take_a_language_that_is_there_and_no_other() -> None:
    assert BenchSettings.model_fields["language"].default == "en"
    assert {path.stem for path in CATALOGUES.glob("*.po")} == set(LANGUAGES)
