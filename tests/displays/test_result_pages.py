"""What the glass says of a count, page by page, and never cut short."""

import pytest

from leukoscope.displays.canvas import Canvas
from leukoscope.displays.gist import gist
from leukoscope.displays.state import Counting, DifferentialLine, Result, pages_of
from leukoscope.displays.whiskers import differential
from leukoscope.displays.wording import unnamed_line
from leukoscope.specimen.sample import Source
from tests.displays.exhibits import EXHIBITS


def test_a_result_has_its_differential_on_the_first_page_and_all_findings_on_the_others() -> None:
    result = EXHIBITS["result_crowded"]
    assert isinstance(result, Result)
    first, *others = pages_of(result)
    assert first.differential == result.differential
    assert {page.pages for page in (first, *others)} == {1 + len(others)}
    assert [text for page in others for text in page.findings] == list(result.findings)
    assert [text for page in others for text in page.warnings] == list(result.warnings)
    assert not any(page.differential for page in others)


def test_a_result_without_a_remark_is_one_page() -> None:
    result = EXHIBITS["result_plain"]
    assert isinstance(result, Result)
    assert pages_of(result) == (result,)


def test_small_glass_says_which_page_it_shows() -> None:
    result = EXHIBITS["result_plain"]
    assert isinstance(result, Result)
    assert gist(pages_of(EXHIBITS["result_crowded"])[1]).corner == "REPLAY"  # type: ignore[arg-type]
    live = pages_of(Result("S", result.differential, 100, None, ("one", "two", "three"), (), Source.LIVE))
    assert [gist(page).corner for page in live] == ["1/3", "2/3", "3/3"]


@pytest.mark.parametrize("width", [240, 320])
def test_a_share_of_a_hundred_percent_is_never_cut_short(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    canvas = Canvas((width, 240))
    wide: list[tuple[str, float, float]] = []
    text = Canvas.text

    def noted(self: Canvas, x: float, y: float, said: str, size: float, room: float, *rest: object) -> float:
        wide.append((said, self.length(said, size), room))
        return text(self, x, y, said, size, room, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Canvas, "text", noted)
    differential(canvas, (10, 40, width - 10, 100), (DifferentialLine("SEG", 100.0, 96.4, 100.0),))
    assert "100 %" in [said for said, *_ in wide]
    for said, length, room in wide:
        assert length <= room, said


def test_unsure_cells_and_suspects_are_on_the_counting_screen() -> None:
    counting = EXHIBITS["counting"]
    assert isinstance(counting, Counting)
    assert unnamed_line(counting) == ""
    values = {name: getattr(counting, name) for name in Counting.__slots__}
    pointed = Counting(**{**values, "unsure": 4, "suspects": 2})
    assert unnamed_line(pointed) == "4 unsure, 2 suspects"
    assert "4 unsure, 2 suspects" in gist(pointed).paragraphs
