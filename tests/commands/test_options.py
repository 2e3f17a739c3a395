"""Which bench a command takes when none is named, and what the shell can complete."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from leukoscope.cli import options
from leukoscope.cli.main import app
from tests.commands.command_line import leukoscope
from tests.commands.test_run import write_bench

ROOT = Path(__file__).parents[2]


def test_the_environment_names_the_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(options.BENCH_VARIABLE, str(write_bench(tmp_path)))
    outcome = leukoscope("run", "--samples", "1")
    assert outcome.code == 0, outcome.err
    listed = json.loads(leukoscope("outbox", "list", "--json").out)
    assert listed["state"] == "pending"
    shown = leukoscope("report", "show", listed["id"][:8], "--json")
    assert shown.code == 0, shown.err
    assert listed["id"] in shown.out


def test_a_bench_that_is_named_goes_before_the_environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(options.BENCH_VARIABLE, str(tmp_path / "another.toml"))
    outcome = leukoscope("outbox", "list", "--bench", tmp_path / "named.toml")
    assert f"no settings file at {tmp_path}/named.toml" in outcome.err


@pytest.mark.parametrize(
    "words",
    [
        ("run",),
        ("outbox", "list"),
        ("report", "list"),
        ("calibrate", "flat"),
        ("bundle", "list"),
        ("trend",),
        ("verify",),
        ("web",),
    ],
)
def test_without_either_it_is_the_installed_one(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(options.BENCH_VARIABLE, raising=False)
    monkeypatch.setattr(options, "INSTALLED_BENCH", Path("/nowhere/bench.toml"))
    outcome = leukoscope(*words)
    assert outcome.code == 2
    assert "no settings file at /nowhere/bench.toml: give one with --bench" in outcome.err


@pytest.mark.parametrize("words", [("export", "0a1b2c", "--as", "csv"), ("adapt", "our-lab"), ("verify",), ("web",)])
def test_a_bench_that_the_environment_names_is_not_passed_over_where_it_is_missing(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(options.BENCH_VARIABLE, str(tmp_path / "missing.toml"))
    outcome = leukoscope(*words)
    assert outcome.code == 2
    assert f"no settings file at {tmp_path}/missing.toml" in outcome.err


def test_doctor_checks_the_named_bench_and_none_where_it_is_asked_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(options.BENCH_VARIABLE, str(tmp_path / "missing.toml"))
    assert "no settings file" in leukoscope("doctor").err
    assert leukoscope("doctor", "--desk").code == 0


def test_the_help_of_no_command_breaks_a_sentence() -> None:
    """Typer keeps the line breaks of a docstring from its second paragraph on."""
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    helps = {name: command.help or "" for name, command in commands.items()}
    assert {"adapt", "check"} <= set(helps)
    assert [name for name, text in helps.items() if any("\n" in one for one in text.split("\n\n")[1:])] == []


def test_the_shell_can_complete_the_commands() -> None:
    asked = os.environ | {"_LEUKOSCOPE_COMPLETE": "complete_bash", "COMP_WORDS": "leukoscope cal", "COMP_CWORD": "1"}
    command = [
        sys.executable,
        "-c",
        "import sys; sys.argv[0] = 'leukoscope'; from leukoscope.cli.main import main; main()",
    ]
    done = subprocess.run(command, env=asked, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["calibrate"]


def test_the_options_of_the_benchmark_need_no_onnx() -> None:
    without = "import sys; sys.modules['onnx'] = None; import runpy; sys.argv = ['benchmark.py', '--help'];"
    program = f"{without} runpy.run_path('tools/benchmark.py', run_name='__main__')"
    environ = os.environ | {"PYTHONPATH": f"{ROOT / 'device'}:{ROOT / 'tools'}"}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "--against" in done.stdout
