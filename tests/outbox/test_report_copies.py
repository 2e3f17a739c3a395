"""The files of reports are copies: where they and the outbox differ, the outbox is right, and what differs is named."""

import errno
import os
from pathlib import Path

import pytest
from pypdf import PdfReader

from leukoscope.doctor.storage import check_storage
from leukoscope.errors import OutboxError
from leukoscope.messages.json_format import to_bytes
from leukoscope.messages.report import encode
from leukoscope.outbox import audit_trail
from leukoscope.outbox.entry import Key
from leukoscope.outbox.record_report import record
from leukoscope.outbox.recovery import GONE, restore
from leukoscope.outbox.report_copies import (
    compare,
    lines_on_missing,
    recorded_payload,
    recorded_versions,
    repair,
    without_any_copy,
)
from leukoscope.outbox.report_files import ReportFiles
from leukoscope.outbox.store import Outbox
from leukoscope.outbox.verification import faults
from leukoscope.reviewing.desk import outbox_at
from leukoscope.settings import BenchSettings
from tests.commands.command_line import leukoscope
from tests.commands.test_run import write_bench
from tests.messages.examples import IDENTITY, NOW, report


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """What a bench keeps: three reports in the outbox, and their files."""
    state = tmp_path / "state"
    state.mkdir()
    with Outbox.open(state / "outbox.sqlite") as outbox:
        for number in (1, 2, 3):
            entry = outbox.get(record(report(number), outbox, IDENTITY, now=lambda: NOW))
            assert entry is not None
            ReportFiles(state / "reports").write(entry.key, entry.payload)
    return state


def path_of(state: Path, number: int, version: int = 1) -> Path:
    return state / "reports" / f"report-{report(number).id}-v{version}.json"


def planted(state: Path, number: int, version: int) -> Path:
    """A well-formed report that the device did not write."""
    path = path_of(state, number, version)
    path.write_bytes(to_bytes(encode(report(number, version=version), boot_id="b", sequence=99, sent_clock=NOW)))
    return path


def lines(state: Path) -> list[str]:
    with Outbox.open(state / "outbox.sqlite", owner=False) as outbox, outbox.reading() as sql:
        return list(faults(sql, state / "reports"))


def repaired(state: Path) -> str:
    with Outbox.open(state / "outbox.sqlite") as outbox:
        return repair(outbox, state / "reports", NOW).foreign


def actions(state: Path) -> list[str]:
    with Outbox.open(state / "outbox.sqlite") as outbox, outbox.reading() as sql:
        return [entry.action for entry in audit_trail.entries(sql)]


def test_a_folder_that_agrees_is_left_alone(state: Path) -> None:
    before = {path: path.stat().st_ino for path in (state / "reports").iterdir()}
    assert (lines(state), repaired(state)) == ([], "")
    assert {path: path.stat().st_ino for path in (state / "reports").iterdir()} == before
    assert actions(state) == ["recorded"] * 3


def test_a_file_that_a_kill_kept_from_being_written_is_named_and_written_at_the_next_start(state: Path) -> None:
    right = path_of(state, 2).read_bytes()
    path_of(state, 2).unlink()
    with Outbox.open(state / "outbox.sqlite", owner=False) as outbox, outbox.reading() as sql:
        (line,) = lines_on_missing(sql, state / "reports")
    assert line.startswith(f"report {report(2).id} v1 has no file in {state / 'reports'}")
    # It is no sign of tampering.
    assert lines(state) == []
    assert repaired(state) == ""
    assert path_of(state, 2).read_bytes() == right


def test_without_their_folder_all_files_are_written_anew(state: Path) -> None:
    for path in (state / "reports").iterdir():
        path.unlink()
    (state / "reports").rmdir()
    assert repaired(state) == ""
    assert len(list((state / "reports").iterdir())) == 3


@pytest.mark.parametrize("kind", ["same size", "longer", "folder", "link"])
def test_a_changed_file_is_named_set_aside_and_written_anew(state: Path, kind: str) -> None:
    path = path_of(state, 1)
    right = path.read_bytes()
    wrong = right[:-1] + (b"}}" if kind == "longer" else b" ")
    if kind == "folder":
        path.unlink()
        path.mkdir()
    elif kind == "link":
        # What it leads to may be right today.
        path.rename(state / "elsewhere")
        path.symlink_to(state / "elsewhere")
    else:
        path.write_bytes(wrong)
    (line,) = lines(state)
    assert line.startswith(f"{path} is not the report that was recorded")
    assert repaired(state) == "1 changed"
    assert path.read_bytes() == right
    assert path.with_name(f"{path.name}.set-aside-1").exists()
    assert (lines(state), repaired(state)) == ([], "")
    assert actions(state)[3:] == ["found changed"]


def test_a_planted_version_is_named_and_never_taken_for_what_was_recorded(state: Path) -> None:
    higher, other = planted(state, 1, 7), planted(state, 8, 1)
    assert lines(state) == [f"{path} was not recorded by this device, and is not used" for path in (higher, other)]
    assert [repaired(state), repaired(state)] == ["2 not its own", "2 not its own"]
    # It stays where it is, and is witnessed once.
    assert higher.exists()
    assert actions(state)[3:] == ["found changed"]
    with Outbox.open(state / "outbox.sqlite") as outbox, outbox.reading() as sql:
        assert recorded_versions(sql) == {report(number).id: 1 for number in (1, 2, 3)}
        payload, why = recorded_payload(sql, state / "reports", Key(report(1).id, 7, "report"))
    assert payload is None
    assert "cannot" not in why


def test_the_files_of_pruned_reports_are_still_compared(state: Path) -> None:
    with Outbox.open(state / "outbox.sqlite") as outbox:
        for entry in outbox.list():
            outbox.mark_sent(entry.key, NOW)
        outbox.prune(NOW, max_sent=0, keep_unsigned=False)
        key = Key(report(1).id, 1, "report")
        with outbox.reading() as sql:
            assert recorded_payload(sql, state / "reports", key) == (path_of(state, 1).read_bytes(), "")
    assert lines(state) == []
    path_of(state, 1).write_bytes(b"{}")
    path_of(state, 2).unlink()
    assert lines(state) == [
        f"{path_of(state, 1)} is not the report that was recorded: its bytes were changed or damaged"
    ]
    with Outbox.open(state / "outbox.sqlite") as outbox, outbox.reading() as sql:
        # A site may keep its old reports elsewhere.
        assert without_any_copy(sql, state / "reports") == 1
        assert recorded_payload(sql, state / "reports", key)[0] is None


def test_a_start_reads_the_newest_files_and_only_the_sizes_of_the_others(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leukoscope.outbox.report_copies._NEWEST", 1)
    for number in (1, 3):
        path_of(state, number).write_bytes(path_of(state, number).read_bytes()[:-1] + b" ")
    with Outbox.open(state / "outbox.sqlite") as outbox, outbox.reading() as sql:
        assert [key.id for key in compare(sql, state / "reports", thorough=False).changed] == [report(3).id]
        assert len(compare(sql, state / "reports").changed) == 2


def test_a_start_writes_no_more_files_than_it_has_time_for(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leukoscope.outbox.report_copies.MOST_WRITTEN", 2)
    for number in (1, 2, 3):
        path_of(state, number).unlink()
    repaired(state)
    assert [path_of(state, number).exists() for number in (1, 2, 3)] == [False, True, True]
    repaired(state)
    assert path_of(state, 1).exists()


def test_a_file_that_cannot_be_read_is_named(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = Path.read_bytes

    def fails(path: Path) -> bytes:
        if path == path_of(state, 1):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", fails)
    assert lines(state) == [f"{path_of(state, 1)} cannot be read: Input/output error"]


def test_export_verify_and_doctor_take_what_was_recorded_and_name_what_differs(state: Path) -> None:
    bench, out = write_bench(state.parent), state.parent / "table.csv"
    higher = planted(state, 1, 7)
    export = ("export", "--as", "csv", "--bench", bench, "--out", out)
    assert leukoscope(*export, report(1).id).code == 0
    assert f"{report(1).id},1," in out.read_text()
    outcome = leukoscope(*export, higher)
    assert outcome.code == 2
    assert f"{higher} was not recorded by this device" in outcome.err
    planted(state, 8, 1)
    outcome = leukoscope(*export, report(8).id)
    assert outcome.code == 2
    assert "was not recorded by this device" in outcome.err
    outcome = leukoscope("audit", "verify", "--bench", bench)
    assert outcome.code == 2
    assert outcome.err.count("was not recorded by this device") == 2
    with pytest.raises(OutboxError, match="reports and the outbox differ in 2"):
        check_storage(BenchSettings.read(bench).storage)


def test_a_deleted_outbox_is_told_by_all_who_look_for_it(state: Path) -> None:
    bench = write_bench(state.parent)
    (state / "outbox.sqlite").unlink()
    with pytest.raises(OutboxError, match="3 files of reports"), outbox_at(bench):
        pass
    with pytest.raises(OutboxError, match="3 files of reports"):
        check_storage(BenchSettings.read(bench).storage)
    out = state.parent / "table.csv"
    for wanted in (report(1).id, path_of(state, 1)):
        export = ("export", wanted, "--as", "csv", "--bench", bench, "--out", out)
        outcome = leukoscope(*export)
        assert outcome.code == 2
        assert "there is no outbox" in outcome.err
        assert "--unverified" in outcome.err
        assert not out.exists()
        assert leukoscope(*export, "--unverified").code == 0
        out.unlink()
    outcome = leukoscope("audit", "verify", "--bench", bench)
    assert outcome.code == 2
    assert "3 files of reports" in outcome.err


def test_a_planted_file_beside_a_deleted_outbox_is_marked_wherever_it_is_exported(state: Path) -> None:
    bench, path = write_bench(state.parent), planted(state, 8, 1)
    (state / "outbox.sqlite").unlink()
    for form, words in (("csv", ",not_verified,"), ("html", "NOT VERIFIED"), ("fhir", "UNCERTREL"), ("pdf", "")):
        out = state.parent / form
        outcome = leukoscope("export", path, "--as", form, "--bench", bench, "--out", out, "--unverified")
        assert outcome.code == 0, outcome.err
        assert "NOT VERIFIED" in outcome.err
        text = out.read_text() if form != "pdf" else PdfReader(out).pages[0].extract_text()
        assert (words or "NOT VERIFIED") in text


def test_after_a_start_that_took_reports_from_their_files_an_export_says_so(state: Path) -> None:
    bench, out = write_bench(state.parent), state.parent / "page.html"
    (state / "outbox.sqlite").unlink()
    with Outbox.open(state / "outbox.sqlite") as outbox:
        assert restore(outbox, state / "reports", NOW, lost=GONE, identity=IDENTITY) == 3
    outcome = leukoscope("export", report(1).id, "--as", "html", "--bench", bench, "--out", out)
    assert outcome.code == 0, outcome.err
    assert "RESTORED FROM A FILE" in outcome.err
    assert "RESTORED FROM A FILE" in out.read_text()


def test_without_an_outbox_a_copy_under_the_name_of_a_higher_version_is_not_exported(state: Path) -> None:
    bench = write_bench(state.parent)
    (state / "outbox.sqlite").unlink()
    copy = next((state / "reports").glob(f"report-{report(1).id}-v1.json"))
    higher = copy.with_name(copy.name.replace("-v1.", "-v9."))
    higher.write_bytes(copy.read_bytes().replace(b'"platelets":{"counted":', b'"platelets":{"counted":9'))
    for wanted in (report(1).id, higher):
        outcome = leukoscope("export", wanted, "--as", "csv", "--bench", bench, "--out", state.parent / "table.csv")
        assert outcome.code == 2
        assert f"{higher} holds report {report(1).id} v1" in outcome.err
        assert leukoscope("export", wanted, "--as", "csv", "--bench", bench, "--unverified").code == 2
    assert not (state.parent / "table.csv").exists()
