"""Blood or marrow: one word in the settings chooses networks, rules, how much is counted and what the screens say."""

import tomllib
from pathlib import Path

import pytest

from leukoscope.displays.gist import gist
from leukoscope.displays.state import BrokerState, Ready, Screen
from leukoscope.errors import SettingsError
from leukoscope.service.presenter import Presenter
from leukoscope.settings import BenchSettings
from leukoscope.specimen.sample import Source
from tests.commands.command_line import leukoscope
from tests.commands.test_run import read_report, write_bench


def settings_of(folder: Path, said: str) -> BenchSettings:
    content = tomllib.loads(write_bench(folder, "counting = { white_cells = 3 }\n").read_text())
    return BenchSettings.model_validate({**content, **tomllib.loads(said)})


@pytest.mark.parametrize(
    ("said", "classifier", "rules", "white_cells"),
    [
        ("", "classifier", "blood.toml", 100),
        ('mode = "blood"', "classifier", "blood.toml", 100),
        ('mode = "marrow"', "marrow", "marrow.toml", 500),
        ('mode = "marrow"\nmodels = { classifier = "ours" }', "ours", "marrow.toml", 500),
        ('mode = "marrow"\nmodels = { segmenter = "ours" }', "marrow", "marrow.toml", 500),
        ('mode = "marrow"\nrules = { file = "ours.toml" }', "marrow", "ours.toml", 500),
        ('mode = "marrow"\ncounting = { until = "technician" }', "marrow", "marrow.toml", 500),
        ('mode = "marrow"\ncounting = { white_cells = 200 }', "marrow", "marrow.toml", 200),
    ],
)
def test_a_mode_chooses_whatever_the_settings_do_not_say(
    tmp_path: Path, said: str, classifier: str, rules: str, white_cells: int
) -> None:
    settings = settings_of(tmp_path, said)
    chosen = (settings.models.classifier, settings.rules.file, settings.counting.white_cells)
    assert chosen == (classifier, rules, white_cells)


@pytest.mark.parametrize(("mode", "file"), [("blood", "marrow.toml"), ("marrow", "blood.toml")])
def test_rules_of_the_other_mode_are_refused_by_name(tmp_path: Path, mode: str, file: str) -> None:
    settings = settings_of(tmp_path, f'mode = "{mode}"\nrules = {{ file = "{file}" }}')
    with pytest.raises(SettingsError, match=rf"{file}.* for {file[:-5]}, the settings say mode {mode}: name rules"):
        settings.rules.open(tmp_path, settings.mode)


def test_a_bench_with_a_contradiction_does_not_run(tmp_path: Path) -> None:
    bench = write_bench(tmp_path, 'site = "bench"', 'site = "bench"\nrules = { file = "marrow.toml" }')
    outcome = leukoscope("run", "--bench", bench, "--samples", "1")
    assert outcome.code == 2
    assert "adult-marrow (marrow.toml) are for marrow, the settings say mode blood" in outcome.err


def test_doctor_says_what_is_counted_and_names_a_contradiction(tmp_path: Path) -> None:
    bench = write_bench(tmp_path, 'site = "bench"', 'site = "bench"\nmode = "marrow"')
    assert "adult-marrow 2.0.0 for marrow, 3 cells to count" in leukoscope("doctor", "--bench", bench).out
    bench.write_text(bench.read_text().replace('"marrow"', '"marrow"\nrules = { file = "blood.toml" }'))
    message = " ".join(leukoscope("doctor", "--bench", bench).out.replace("│", " ").split())
    assert "are for blood, the settings say mode marrow" in message


def test_an_unknown_mode_is_refused(tmp_path: Path) -> None:
    bench = write_bench(tmp_path, 'site = "bench"', 'site = "bench"\nmode = "urine"')
    outcome = leukoscope("run", "--bench", bench)
    assert outcome.code == 2
    assert "mode = 'urine'" in outcome.err


def test_marrow_is_counted_named_and_told_from_press_to_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Screen] = []
    show = Presenter._show
    monkeypatch.setattr(Presenter, "_show", lambda self, screen: (shown.append(screen), show(self, screen))[1])
    bench = write_bench(tmp_path, 'site = "bench"', 'site = "bench"\nmode = "marrow"')
    # Ready is seen only where the first look at the button does not start a sample yet.
    bench.write_text(bench.read_text().replace("after_s = 0.0", "after_polls = 3"))
    outcome = leukoscope("run", "--bench", bench, "--samples", "1", "--sample-id", "M-1")
    assert outcome.code == 0, outcome.err
    report = read_report(tmp_path)
    assert report["rules"]["id"] == "adult-marrow"
    assert report["provenance"]["classifier"]["name"] == "marrow"
    assert "pronormoblast" in {line["class"] for line in report["white_cells"]["differential"]}
    assert any("marrow cells were counted, 500 are asked for" in finding["text"] for finding in report["findings"])
    said = [" ".join((message.title, *message.beside, *message.paragraphs)) for message in map(gist, shown)]
    assert any("READY: MARROW" in text for text in said)
    assert any("of 3 marrow" in text for text in said)
    assert not any("white" in text for text in said), said


def test_screens_of_blood_do_not_say_so() -> None:
    assert gist(Ready("", BrokerState.NONE, Source.LIVE)).title == "READY"
