"""From the press to the subscriber: the whole path over real brokers."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.brokers import HOST, Mosquitto, Subscriber, wait_until
from tests.commands.command_line import leukoscope
from tests.commands.test_run import write_bench

CHECKOUT = Path(__file__).resolve().parents[2]


def run_demo(*arguments: object) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [sys.executable, CHECKOUT / "tools" / "run_demo.py", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_the_demo_sends_a_report_to_its_subscriber(tmp_path: Path) -> None:
    out = tmp_path / "demo"
    done = run_demo("--white-cells", 3, "--out", out)
    assert done.returncode == 0, done.stderr
    received = json.loads((out / "report.json").read_text())
    (kept,) = (json.loads(path.read_text()) for path in (out / "state" / "reports").glob("*.json"))
    assert received == kept
    assert received["provenance"]["source"] == "simulated"
    assert received["white_cells"]["counted"] >= 3
    assert "The subscriber received this report over MQTT" in done.stderr
    assert "SIMULATED" in done.stdout


def test_the_demo_will_not_delete_what_it_did_not_make(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    done = run_demo("--out", tmp_path)
    assert done.returncode == 2
    assert "give another --out" in done.stderr
    assert (tmp_path / "thesis.txt").exists()


def test_pictures_without_their_scale_are_an_error(tmp_path: Path) -> None:
    done = run_demo("--pictures", tmp_path, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "--um-per-px belong together" in done.stderr


def test_a_report_waits_for_a_broker_that_comes_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Mosquitto(tmp_path / "broker")
    retry = "first_retry_s = 0.2, longest_retry_s = 0.5"
    bench = write_bench(tmp_path, reporting=f'{{ driver = "mqtt", host = "{HOST}", port = {broker.port}, {retry} }}')
    with monkeypatch.context() as impatient:
        impatient.setattr("leukoscope.service.telemetry.FLUSH_S", 0.5)
        assert leukoscope("run", "--bench", bench, "--samples", "1", "--sample-id", "early").code == 0
    assert _states(bench) == ["pending"]
    broker.start()
    try:
        with Subscriber(broker.port) as reader:
            assert leukoscope("run", "--bench", bench, "--samples", "1", "--sample-id", "late").code == 0
            assert wait_until(lambda: len(reader.payloads("/report")) == 2, timeout_s=20)
            samples = [json.loads(payload)["sample"]["sample_id"] for payload in reader.payloads("/report")]
    finally:
        broker.kill()
    assert samples == ["early", "late"]
    assert _states(bench) == ["sent", "sent"]


def _states(bench: Path) -> list[str]:
    listed = leukoscope("outbox", "list", "--bench", bench, "--json")
    return [json.loads(line)["state"] for line in listed.out.splitlines()]
