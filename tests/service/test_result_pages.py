"""The result stays on the display until a press, and short presses turn its pages."""

from pathlib import Path

import pytest

from leukoscope.displays.panel import Panel
from leukoscope.displays.state import Ready, Result, Screen, Sent
from tests.commands.command_line import leukoscope
from tests.commands.test_run import write_bench


def test_a_result_stays_until_a_press_and_is_turned_page_by_page_to_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    screens: list[Screen] = []
    show = Panel.show

    def noted(panel: Panel, screen: Screen) -> object:
        screens.append(screen)
        return show(panel, screen)

    monkeypatch.setattr(Panel, "show", noted)
    monkeypatch.setattr("leukoscope.service.telemetry.RESULT_S", 0.0)
    monkeypatch.setattr("leukoscope.service.loop.REFRESH_S", 0.0)
    bench = write_bench(tmp_path)
    once = '{ action = "toggle", after_s = 0.0 }'
    finish = '{ action = "finish", after_polls = 12 }'
    turns = ", ".join(f'{{ action = "toggle", after_polls = {polls} }}' for polls in range(20, 80, 6))
    bench.write_text(
        bench.read_text().replace(once, f'{once}, {finish}, {turns}, {{ action = "quit", after_polls = 90 }}')
    )
    assert leukoscope("run", "--bench", bench).code == 0
    first = next(number for number, screen in enumerate(screens) if isinstance(screen, Result))
    after = screens[first:]
    results = [screen for screen in after if isinstance(screen, Result)]
    pages = results[0].pages
    assert pages > 1
    assert [screen.page for screen in results[:pages]] == list(range(1, pages + 1))
    assert results[0].differential
    assert not results[1].differential
    # Nothing comes between the pages by itself, then what became of the report, then Ready.
    assert [type(screen) for screen in after[: pages + 2]] == [Result] * pages + [Sent, Ready]
