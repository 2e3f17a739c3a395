import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.bundles_installed.devices import real_archive, real_bundle, write_bench
from tests.bundles_installed.workshop import PUBLIC, archive_of
from tests.commands.command_line import leukoscope


def rows(bench: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in leukoscope("bundle", "list", "--bench", bench, "--json").out.splitlines()]


def states(bench: Path) -> dict[str, str]:
    return {row["version"]: row["state"] for row in rows(bench) if row["name"] == "classifier"}


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leukoscope.service.telemetry.RESULT_S", 0.0)


def run(bench: Path) -> Any:
    return leukoscope("run", "--bench", bench, "--samples", "1")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()
        thread.join()


def test_a_bundle_goes_from_a_stick_into_the_report_and_back(tmp_path: Path) -> None:
    bench = write_bench(tmp_path)
    installed = leukoscope("bundle", "install", real_archive(tmp_path, "9.0.0"), "--bench", bench)
    assert installed.code == 0, installed.err
    assert "golden decisions" in installed.out
    (row,) = (row for row in rows(bench) if row["state"] == "in force" and row["name"] == "classifier")
    assert (row["version"], row["note"]) == ("9.0.0", "on trial until the device is ready on it")
    doctor = leukoscope("doctor", "--bench", bench, "--json").out
    assert "9.0.0, installed, on trial, onnxruntime" in doctor
    assert run(bench).code == 0
    (report,) = (tmp_path / "state" / "reports").glob("*.json")
    assert json.loads(report.read_text())["provenance"]["classifier"]["version"] == "9.0.0"
    (row,) = (row for row in rows(bench) if row["version"] == "9.0.0")
    assert row["note"] == "", "the device was ready on it"
    back = leukoscope("bundle", "rollback", "classifier", "--bench", bench)
    assert back.out.startswith("classifier shipped; in force from the next start")
    assert states(bench)["9.0.0"] == "kept"
    assert leukoscope("bundle", "use", "classifier", "9.0.0", "--bench", bench).code == 0
    assert states(bench)["9.0.0"] == "in force"


def test_a_device_that_fails_three_starts_runs_at_the_fourth_and_says_why(tmp_path: Path) -> None:
    bench = write_bench(tmp_path)
    leukoscope("bundle", "install", real_archive(tmp_path, "9.0.0"), "--bench", bench)
    (network,) = (tmp_path / "state" / "bundles").rglob("network.int8.onnx")
    network.write_bytes(b"rotten")
    for _ in range(3):
        failed = run(bench)
        assert failed.code == 2
        assert "install the bundle again" in failed.err
    assert run(bench).code == 0
    (row,) = (row for row in rows(bench) if row["version"] == "9.0.0")
    assert (row["state"], row["note"]) == ("kept", "failed 3 starts")


def test_a_bundle_comes_from_a_server_too(tmp_path: Path, server: str) -> None:
    bench = write_bench(tmp_path)
    archive = real_archive(tmp_path, "9.0.0")
    assert leukoscope("bundle", "install", f"{server}/{archive.name}", "--bench", bench).code == 0
    assert states(bench)["9.0.0"] == "in force"
    missing = leukoscope("bundle", "install", f"{server}/none", "--bench", bench)
    assert missing.code == 2
    assert "cannot be fetched" in missing.err


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("/no/such/stick/a.leukoscope", "is the stick mounted"),
        ("/dev/zero", "is no file"),
        ("file:///etc/passwd", "beginning with https"),
        ("http://127.0.0.1:1/a.leukoscope", "cannot be fetched"),
    ],
)
def test_what_cannot_be_had_is_told_in_one_line(tmp_path: Path, source: str, message: str) -> None:
    outcome = leukoscope("bundle", "install", source, "--bench", write_bench(tmp_path))
    assert outcome.code == 2
    assert message in outcome.err
    assert len(outcome.err.splitlines()) == 1


def test_an_unsigned_bundle_is_taken_from_a_file_where_that_is_allowed_and_never_from_a_server(
    tmp_path: Path, server: str
) -> None:
    bench = write_bench(tmp_path)
    archive = tmp_path / "unsigned.leukoscope"
    archive.write_bytes(archive_of(real_bundle(tmp_path, "9.0.0"), key=None))
    assert "is not signed" in leukoscope("bundle", "install", archive, "--bench", bench).err
    url = f"{server}/{archive.name}"
    for keys in ("", f'keys = ["{PUBLIC}"], '):
        models = f"models = {{ {keys}allow_unsigned = true }}\n"
        bench.write_text(bench.read_text().partition("models =")[0] + models)
        assert "is not signed" in leukoscope("bundle", "install", url, "--bench", bench).err
    assert leukoscope("bundle", "install", archive, "--bench", bench).code == 0
    assert "signed by nobody" in leukoscope("bundle", "install", archive, "--bench", bench, "--allow-unsigned").out


def test_a_key_that_is_none_is_refused_with_its_place(tmp_path: Path) -> None:
    bench = write_bench(tmp_path)
    bench.write_text(bench.read_text().partition("models =")[0] + 'models = { keys = ["secret"] }\n')
    assert "models.keys.0" in leukoscope("bundle", "list", "--bench", bench).err


def test_a_folder_without_a_bundle_is_refused_and_the_right_ones_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    outcome = leukoscope("bundle", "install", tmp_path / "empty", "--bench", write_bench(tmp_path))
    assert outcome.code == 2
    assert "empty holds no bundle: expected a manifest.toml there: give an archive" in outcome.err
