import io
import random
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from leukoscope.bundles.archive import MAX_BYTES, Archive, read_archive, write_archive
from leukoscope.bundles.installing import accept
from leukoscope.errors import BundleError
from tests.bundles_installed.workshop import RULES, archive

SMALL = Archive(b"{}", b"s" * 64, {"manifest.toml": b"x = 1", "network.onnx": b"weights"})
Member = tuple[zipfile.ZipInfo | str, bytes]


def zipped(*members: Member, compression: int = zipfile.ZIP_STORED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as packed:
        for name, content in members:
            packed.writestr(name, content)
    return out.getvalue()


def member(name: str, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.create_system, entry.external_attr = 3, mode << 16
    return entry


def test_an_archive_gives_back_what_was_packed() -> None:
    assert read_archive(write_archive(SMALL), "a") == SMALL


def test_an_archive_is_the_same_bytes_on_every_python() -> None:
    # Whatever is read is compared with what would be written, so a Python that writes other bytes must be noticed.
    raw = write_archive(Archive(b"{}", None, {}))
    assert raw.hex() == (
        "504b03041400000000000000210043bfa6a302000000020000000d000000636f6e74656e74732e6a736f6e7b7d"
        "504b01021403140000000000000021004"
        "3bfa6a302000000020000000d0000000000000000000000a48100000000636f6e74656e74732e6a736f6e"
        "504b050600000000010001003b0000002d0000000000"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../evil.toml", "outside the bundle"),
        ("a/../../evil.toml", "outside the bundle"),
        ("..\\evil.toml", "outside the bundle"),
        ("/etc/passwd", "absolute path"),
        ("C:\\evil.toml", "absolute path"),
        ("\\\\server\\evil", "absolute path"),
        ("folder/manifest.toml", "plain file names"),
        (".bashrc", "plain file names"),
        ("a b", "plain file names"),
        ("caf\u00e9", "plain file names"),
        ("n" * 101, "plain file names"),
    ],
)
def test_a_name_that_could_lie_elsewhere_is_refused(name: str, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        read_archive(zipped((member("contents.json"), b"{}"), (member(name), b"evil")), "a")


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        (stat.S_IFLNK | 0o777, "a link"),
        (stat.S_IFDIR | 0o755, "no plain file"),
        (stat.S_IFCHR | 0o666, "no plain file"),
        (stat.S_IFIFO | 0o666, "no plain file"),
    ],
)
def test_links_folders_and_devices_are_refused(mode: int, message: str) -> None:
    with pytest.raises(BundleError, match=message):
        read_archive(zipped((member("contents.json"), b"{}"), (member("thing", mode), b"/etc/passwd")), "a")


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = zipped((member("contents.json"), b"{}"), compression=zipfile.ZIP_DEFLATED)
    out = io.BytesIO(bomb)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as packed:
        entry = member("zeros")
        entry.compress_type = zipfile.ZIP_DEFLATED
        packed.writestr(entry, bytes(20_000_000))
    assert len(out.getvalue()) < 30_000
    with pytest.raises(BundleError, match="zeros compressed, 20000000 bytes when unpacked"):
        read_archive(out.getvalue(), "a")


def test_a_name_that_comes_twice_is_refused() -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        raw = zipped((member("contents.json"), b"{}"), (member("a"), b"1"), (member("a"), b"2"))
    with pytest.raises(BundleError, match="holds a twice"):
        read_archive(raw, "a")
    raw = zipped((member("contents.json"), b"{}"), (member("Network"), b"1"), (member("network"), b"2"))
    with pytest.raises(BundleError, match="holds network twice"):
        read_archive(raw, "a")


def test_too_many_files_are_refused_before_they_are_listed() -> None:
    raw = zipped(*((member(f"f{number}"), b"") for number in range(2000)))
    with pytest.raises(BundleError, match="holds 2000 files"):
        read_archive(raw, "a")


def test_an_oversize_archive_is_refused() -> None:
    with pytest.raises(BundleError, match="larger than 64 MiB"):
        read_archive(bytes(MAX_BYTES + 1), "a")


def test_sizes_that_are_claimed_only_are_refused() -> None:
    raw = bytearray(write_archive(SMALL))
    # Both sizes of the last entry of the central directory.
    place = raw.rindex(b"PK\x01\x02") + 20
    raw[place : place + 8] = struct.pack("<2L", 2**31, 2**31)
    with pytest.raises(BundleError, match="claims 2048 MiB"):
        read_archive(bytes(raw), "a")


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        (lambda raw: b"", "no bundle archive"),
        (lambda raw: b"hello", "no bundle archive"),
        (lambda raw: raw[:-1], "cut short"),
        (lambda raw: raw[:200], "cut short"),
        (lambda raw: raw + b"more", "something was added"),
        (lambda raw: b"PK" + raw, "no whole bundle archive|altered"),
        (lambda raw: raw.replace(b"weights", b"Weights"), "Bad CRC-32"),
        (lambda raw: zipped((member("manifest.toml"), b"")), "no contents.json"),
        (lambda raw: zipped((zipfile.ZipInfo("contents.json", (2026, 1, 1, 0, 0, 0)), b"{}")), "no plain file"),
        (lambda raw: zipped((member("network.onnx"), b""), (member("contents.json"), b"{}")), "altered"),
    ],
)
def test_damage_is_told(spoilt: Callable[[bytes], bytes], message: str) -> None:
    with pytest.raises(BundleError, match=message):
        read_archive(spoilt(write_archive(SMALL)), "a")


def test_an_altered_byte_anywhere_is_refused(tmp_path: Path) -> None:
    raw = archive(tmp_path)
    accept(raw, "a", RULES)
    rng = random.Random(3)
    for place in range(len(raw)):
        altered = bytearray(raw)
        altered[place] ^= 1 << rng.randrange(8)
        with pytest.raises(BundleError):
            accept(bytes(altered), "a", RULES)


def test_an_archive_cut_short_anywhere_is_refused(tmp_path: Path) -> None:
    raw = archive(tmp_path)
    for length in range(0, len(raw), 7):
        with pytest.raises(BundleError):
            accept(raw[:length], "a", RULES)
