"""Defects that spoilt input found, each as the smallest case that shows it."""

import hashlib
import io
import sqlite3
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from leukoscope.analysis.golden import replay, write_golden
from leukoscope.cameras.pictures import read_picture
from leukoscope.errors import BundleError, CalibrationError, InvalidMessage, OutboxError, PictureError, SettingsError
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.inference.validation import Validation
from leukoscope.messages.command import CommandName
from leukoscope.messages.json_format import from_bytes
from leukoscope.optics.calibration import grid_from, read_kept
from leukoscope.optics.calibration_record import KeptFile
from leukoscope.outbox.command_inbox import CommandInbox
from leukoscope.outbox.entry import Key
from leukoscope.outbox.store import Outbox
from leukoscope.settings import BenchSettings
from leukoscope.system.npz import read_arrays
from tests.bundles_installed import workshop
from tests.fuzz.seeds import BENCHES
from tests.fuzz.watch import little_memory
from tests.inference.test_bundle import write
from tests.messages.examples import IDENTITY, NOW
from tests.messages.test_commands import command


def npz_of(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(f"{name}.npy", content)
    return out.getvalue()


def npy(header: str, content: bytes = b"") -> bytes:
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content


def chunk(kind: bytes, body: bytes, length: int | None = None) -> bytes:
    return (
        struct.pack(">L", len(body) if length is None else length)
        + kind
        + body
        + struct.pack(">L", zlib.crc32(kind + body))
    )


@pytest.mark.parametrize("value", ['"pic\\nmera"', '"\\r\\n"', '["a\\n\\nb"]'])
def test_a_line_break_in_a_setting_does_not_tear_the_error(tmp_path: Path, value: str) -> None:
    path = tmp_path / "bench.toml"
    path.write_text(BENCHES[0].decode().replace('driver = "picamera"', f"driver = {value}"))
    with pytest.raises(SettingsError) as caught:
        BenchSettings.read(path)
    assert "\n" not in str(caught.value)


def test_an_error_about_a_long_value_or_many_faults_stays_short(tmp_path: Path) -> None:
    path = tmp_path / "bench.toml"
    path.write_text(f'site = "{"x" * 5000}"\n' + "".join(f"wrong{number} = 1\n" for number in range(300)))
    with pytest.raises(SettingsError, match=r"and \d+ more") as caught:
        BenchSettings.read(path)
    assert len(str(caught.value)) < 9000


def test_a_null_byte_in_a_manifest_names_no_file(tmp_path: Path) -> None:
    bundle = Bundle.read(write(tmp_path, 'path = "network.onnx"', 'path = "network\\u0000.onnx"'))
    with pytest.raises(BundleError, match="null byte"):
        bundle.network_path("onnx")


def test_a_count_beyond_any_validation_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "validation.json"
    matrix = '{"collection": "c", "held_out_by": "slide", "truth": ["a"], "named": ["a"], "counts": [[1%s]]}'
    path.write_text('{"matrices": [' + matrix % ("0" * 400) + "]}")
    with pytest.raises(BundleError, match="install the bundle again"):
        Validation.read(path)


@pytest.mark.parametrize(
    "content",
    [
        npz_of(light=npy("{'descr': '<f4', 'shape': (((")),
        npz_of(light=npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000, 3)}")),
        npz_of(light=npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", b"cos\nsystem\n(S'id'\ntR.")),
        npz_of(light=npy("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 2, 3)}")),
        npz_of(light=npy("{'descr': '<U3', 'fortran_order': False, 'shape': (1, 1, 3)}", bytes(36))),
        npz_of(
            light=npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 3)}", struct.pack("<3f", 1, 2, 3e38))
        ),
        npz_of(
            light=npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 3)}", struct.pack("<3f", 1, 2, np.nan))
        ),
        npz_of(light=b"no array"),
        npz_of(dark=npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 3)}", bytes(12))),
        b"PK\x03\x04",
        b"",
    ],
)
def test_a_grid_that_is_none_is_refused_without_running_or_allocating_anything(content: bytes) -> None:
    with little_memory(), pytest.raises(CalibrationError, match="calibrate again"):
        grid_from(content, "light", Path("own.npz"))


def test_arrays_that_swell_when_unpacked_are_refused_before_they_are() -> None:
    bomb = npz_of(light=npy("{'descr': '|u1', 'fortran_order': False, 'shape': (80000000,)}", bytes(80_000_000)))
    assert len(bomb) < 100_000
    with pytest.raises(ValueError, match="expected at most"):
        read_arrays(bomb)


def test_a_device_named_as_a_file_of_a_calibration_is_not_read(tmp_path: Path) -> None:
    with little_memory(), pytest.raises(CalibrationError, match="is no file"):
        read_kept(tmp_path, KeptFile(path="/dev/zero", sha256="0" * 64))


@pytest.mark.parametrize(
    ("pictures", "classes", "message"),
    [
        (np.zeros((2, 8, 9, 3), np.uint8), [0, 1], "expected pictures of 8x8"),
        (np.zeros((0, 8, 8, 3), np.uint8), [], "expected pictures of 8x8"),
        (np.zeros((2, 8, 8, 3), np.float32), [0, 1], "expected pictures of 8x8"),
        (np.uint8(3), [0, 1], "expected pictures of 8x8"),
        (np.zeros((2, 8, 8, 3), np.uint8), [0], "decisions of shape"),
        (np.zeros((2, 8, 8, 3), np.uint8), ["a", "b"], "decisions of shape"),
    ],
)
def test_a_golden_pair_of_another_shape_is_malformed(
    tmp_path: Path, pictures: np.ndarray, classes: list[object], message: str
) -> None:
    made = workshop.bundle(tmp_path / "b")
    old = made.manifest.golden.sha256
    write_golden(made.folder / "golden.npz", pictures, classes=np.array(classes))
    text = (made.folder / "manifest.toml").read_text()
    new = hashlib.sha256((made.folder / "golden.npz").read_bytes()).hexdigest()
    (made.folder / "manifest.toml").write_text(text.replace(old, new))
    bundle = Bundle.read(made.folder)
    with pytest.raises(BundleError, match=message):
        replay(bundle, OnnxSettings(threads=1).open(bundle))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rows = 8, cols = 8", "rows = 4, cols = 4"),
        ('outputs = ["logits"]', 'outputs = ["answers"]'),
        ('outputs = ["logits"]', 'outputs = ["two\\nlines"]'),
        ("classes = [", 'classes = [\n{ key = "third", short = "3", in_differential = true },'),
    ],
)
def test_a_manifest_that_does_not_fit_its_network_fails_the_golden_check(tmp_path: Path, old: str, new: str) -> None:
    made = workshop.bundle(tmp_path / "b")
    text = (made.folder / "manifest.toml").read_text()
    assert old in text
    (made.folder / "manifest.toml").write_text(text.replace(old, new))
    bundle = Bundle.read(made.folder)
    with pytest.raises(BundleError, match=r"does not fit its manifest|malformed") as caught:
        replay(bundle, OnnxSettings(threads=1).open(bundle))
    assert "\n" not in str(caught.value)


def test_a_number_no_computer_word_holds_is_no_message() -> None:
    with pytest.raises(InvalidMessage, match="too large for a number"):
        from_bytes(b'{"count": 1' + b"0" * 400 + b"}")


@pytest.mark.parametrize("word", ["\\ud800", "a\\uDC00b", "\\udc00\\ud800"])
def test_half_a_letter_is_no_message_and_stops_no_publisher(tmp_path: Path, word: str) -> None:
    payload = command().replace(b"the laboratory system", word.encode())
    with pytest.raises(InvalidMessage, match="surrogates not allowed"):
        from_bytes(payload)
    with Outbox.open(tmp_path / "outbox.sqlite") as outbox:
        heard = CommandInbox(outbox, IDENTITY, tuple(CommandName), now=lambda: NOW, clock_quality=lambda: True)
        heard.receive(payload)
        (reply,) = heard.replies()
    assert from_bytes(reply.payload)["reason"] == "malformed"


def test_a_letter_in_two_escapes_is_one() -> None:
    assert from_bytes(b'{"by": "\\ud83e\\uddeb"}') == {"by": "\U0001f9eb"}


def outbox_with(folder: Path, count: int) -> Path:
    path = folder / "outbox.sqlite"
    with Outbox.open(path) as outbox:
        for number in range(count):
            outbox.put(Key(f"id-{number}", 1, "report"), "report", b"{}", NOW)
    return path


def test_a_message_that_is_not_under_its_key_is_noticed_when_the_outbox_is_opened(tmp_path: Path) -> None:
    # It would be sent again and again: what marks it as sent looks for it under its key.
    path = outbox_with(tmp_path, 3)
    content = path.read_bytes()
    place = content.rindex(b"id-1")  # the table lies behind its index, or before it: one of both is changed
    path.write_bytes(content[:place] + b"id-7" + content[place + 4 :])
    with pytest.raises(OutboxError, match="is corrupt"):
        Outbox.open(path, owner=False)
    with Outbox.open(path) as outbox:
        assert outbox.quarantined is not None


def test_one_damaged_letter_keeps_no_other_message_from_being_sent(tmp_path: Path) -> None:
    path = outbox_with(tmp_path, 3)
    with sqlite3.connect(path) as database:
        database.execute("UPDATE message SET note = CAST(X'C3FF41' AS TEXT) WHERE id = 'id-1'")
    database.close()
    with Outbox.open(path) as outbox:
        assert len(outbox.pending(10)) == 3
        assert len(outbox.list()) == 3


@pytest.mark.parametrize(("old", "new"), [(b"CREATE TABLE message", b"CREATE TABLE mes\nage"), (b"TEXT", b"T\xff\n ")])
def test_a_damaged_outbox_is_told_in_one_line(tmp_path: Path, old: bytes, new: bytes) -> None:
    path = outbox_with(tmp_path, 1)
    path.write_bytes(path.read_bytes().replace(old, new))
    with pytest.raises(OutboxError, match="corrupt") as caught:
        Outbox.open(path, owner=False)
    assert "\n" not in str(caught.value)
    with Outbox.open(path) as outbox:
        assert outbox.quarantined is not None


@pytest.mark.parametrize("size", [(2**31 - 1, 2**31 - 1), (2**31 - 1, 1), (100_000, 100_000), (8000, 8000)])
def test_a_picture_that_claims_to_be_huge_is_refused_before_anything_is_allocated(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    path = tmp_path / "huge.png"
    header = struct.pack(">2L5B", *size, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )
    with little_memory(), pytest.raises(PictureError, match="pixels are read: cut it into fields first"):
        read_picture(path)


def test_a_piece_of_a_picture_that_claims_to_be_huge_is_damage(tmp_path: Path) -> None:
    rows = b"".join(b"\0" + bytes(9) for _ in range(3))
    path = tmp_path / "piece.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">2L5B", 3, 3, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows), length=0x7FFFFFFF)
    )
    with little_memory(), pytest.raises(PictureError, match="is damaged or cut short"):
        read_picture(path)
