"""Every calibration can be begun, left and finished on the device with its one button."""

from pathlib import Path

import pytest

from leukoscope.calibrating.guide import Guide
from leukoscope.cli.calibrate import pages_of
from leukoscope.controls.action import Action
from leukoscope.controls.scripted import Scripted, ScriptedPress, ScriptedSettings
from tests.commands.command_line import leukoscope
from tests.commands.test_calibrate import OWN, SMALL, bench, own


class Hand:
    """Presses one script each time the controls are opened."""

    def __init__(self, *scripts: str) -> None:
        self._scripts = list(scripts)

    def next_script(self, keys: object = None) -> Scripted:
        actions = {"s": Action.TOGGLE, "l": Action.FINISH, "v": Action.DISCARD}
        presses = [ScriptedPress(action=actions[one], after_polls=0) for one in self._scripts.pop(0)]
        return Scripted(tuple(presses), lambda: 0.0)

    @property
    def idle(self) -> bool:
        return not self._scripts


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    message: list[tuple[str, str]] = []
    show = Guide.show

    def heard(self: Guide, todo: str, note: str = "", share: float | None = None) -> None:
        message.append((todo, note))
        show(self, todo, note, share)

    monkeypatch.setattr(Guide, "show", heard)
    return message


def menu(monkeypatch: pytest.MonkeyPatch, path: Path, *scripts: str) -> None:
    hand = Hand(*scripts)
    monkeypatch.setattr(ScriptedSettings, "open", hand.next_script)
    outcome = leukoscope("calibrate", "menu", "--bench", path, "--by", "A. Technician")
    assert outcome.code == 0, outcome.err
    assert hand.idle


def test_a_short_press_turns_the_page_and_the_last_one_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[tuple[str, str]]
) -> None:
    pages = [page.title for page in pages_of(tmp_path)]
    menu(monkeypatch, bench(tmp_path, "blank"), "s" * (len(pages) + 1) + "s" * len(pages) + "l")
    assert [todo for todo, _ in said] == [*pages, "Leave", *pages, "Leave"]


def test_a_very_long_press_leaves_from_any_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    menu(monkeypatch, bench(tmp_path, "blank"), "sv")


def test_a_scale_is_measured_with_nothing_but_the_button(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[tuple[str, str]]
) -> None:
    path = bench(tmp_path, "ruling", calibration=f'file = "{OWN}"', microscope=SMALL)
    menu(monkeypatch, path, "l", "s", "sv")
    assert own(tmp_path)["um_per_px"] == pytest.approx(0.254, rel=0.001)
    assert own(tmp_path)["scale"]["by"] == "A. Technician"
    assert ("Scale", "Scale: done") in said


def test_an_attempt_that_is_refused_or_left_is_told_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[tuple[str, str]]
) -> None:
    path = bench(tmp_path, "blank", calibration=f'file = "{OWN}"', microscope=SMALL)
    menu(monkeypatch, path, "l", "s", "sl", "sl", "v")
    assert not (tmp_path / OWN).exists()
    notes = [note for _, note in said]
    assert any(note.startswith("scale refused, calibration in force: none;") for note in notes)
    assert "Scale: left, nothing was changed" in notes
