"""A valid file is read to its own pixels and whole, or refused by name."""

import errno
import os
import struct
import tempfile
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from leukoscope.cameras import pictures
from leukoscope.cameras.picture_files import find_pictures, left_out, pictures_in
from leukoscope.cameras.pictures import read_pages, read_picture
from leukoscope.errors import PictureError
from leukoscope.system.pixels_in_file import is_in_file
from tests.cameras.peak_memory import growth_mib
from tests.cameras.tiff_files import TiffPage, tiff_file

RNG = np.random.default_rng(21)
COLOUR_8: NDArray[np.uint8] = RNG.integers(0, 256, (40, 48, 3)).astype(np.uint8)
COLOUR_16: NDArray[np.uint16] = RNG.integers(0, 65536, (40, 48, 3)).astype(np.uint16)
GREY_16: NDArray[np.uint16] = RNG.integers(0, 65536, (40, 48)).astype(np.uint16)

Written = Callable[..., Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    def write(*pages: TiffPage, name: str = "picture.tif") -> Path:
        (tmp_path / name).write_bytes(tiff_file(*pages))
        return tmp_path / name

    return write


def in_eight_bits(deep: NDArray[np.uint16], full: int = 65535) -> NDArray[np.float64]:
    return deep.astype(np.float64) * (255 / full)


def blotches(seed: int) -> NDArray[np.uint8]:
    """A place of its own: soft blotches, (120, 160, 3)."""
    coarse = np.random.default_rng(seed).integers(60, 220, (6, 8, 3)).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (160, 120), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


@pytest.mark.parametrize("planar", [1, 2])
def test_eight_bit_channels_are_read_in_either_order_of_bytes(written: Written, planar: int) -> None:
    assert np.array_equal(read_picture(written(TiffPage(COLOUR_8, planar=planar))), COLOUR_8)


def test_sixteen_bit_colour_is_read_to_its_own_pixels(written: Written) -> None:
    pixels = read_picture(written(TiffPage(COLOUR_16)))
    assert np.abs(pixels - in_eight_bits(COLOUR_16)).max() <= 1


def test_sixteen_bit_planes_are_read_to_their_own_pixels_or_refused(written: Written) -> None:
    with pytest.raises(PictureError, match="16-bit channels in separate planes"):
        read_picture(written(TiffPage(COLOUR_16, planar=2)))


def test_a_predictor_that_decoders_would_not_heed_is_named(written: Callable[..., Path]) -> None:
    # Programs that heed it beside PackBits wrote differences; taken for levels they are another picture.
    packed = TiffPage(np.full((1, 8), 7, np.uint8), photometric=1, compression=32773, predictor=2)
    with pytest.raises(PictureError, match="states a predictor beside a compression that has none"):
        read_picture(written(packed))


@pytest.mark.parametrize(
    ("compression", "values", "name"),
    [
        (34712, COLOUR_8, "JPEG 2000, which is not read in 8 bits"),
        (50001, COLOUR_8, "WebP"),
        (50000, COLOUR_16, "Zstandard, which is not read in 16 bits"),
        (34925, GREY_16, "LZMA"),
        (12345, COLOUR_8, "method 12345"),
    ],
)
def test_a_compression_that_is_not_read_is_named_and_the_file_not_called_damaged(
    written: Callable[..., Path], compression: int, values: NDArray[np.generic], name: str
) -> None:
    photometric = 1 if values.ndim == 2 else 2
    with pytest.raises(PictureError, match=f"is compressed by {name}"):
        read_picture(written(TiffPage(values, photometric=photometric, compression=compression)))


def test_a_bitmap_with_masks_of_its_own_is_not_only_called_damaged(tmp_path: Path) -> None:
    masks = struct.pack("<III", 0x3FF00000, 0xFFC00, 0x3FF)
    body = bytes(4 * 6 * 8)
    sizes = struct.pack("<IiiHHIIiiII", 40, 8, 6, 1, 32, 3, len(body), 0, 0, 0, 0)
    head = b"BM" + struct.pack("<IHHI", 66 + len(body), 0, 0, 66)
    (tmp_path / "masks.bmp").write_bytes(head + sizes + masks + body)
    with pytest.raises(PictureError, match="stored in a way that is not read"):
        read_picture(tmp_path / "masks.bmp")


@pytest.mark.parametrize("values", [GREY_16, COLOUR_8[..., 0]])
def test_what_is_stored_as_a_negative_is_shown_as_a_positive(written: Written, values: NDArray[np.generic]) -> None:
    plain = read_picture(written(TiffPage(values, photometric=1)))
    turned = read_picture(written(TiffPage(values, photometric=0), name="white.tif"))
    assert np.abs(plain.astype(int) + turned.astype(int) - 255).max() <= 1


@pytest.mark.parametrize("bits", [12, 14])
def test_a_camera_of_fewer_bits_is_not_underexposed(written: Written, bits: int) -> None:
    values = (COLOUR_16 >> (16 - bits)).astype(np.uint16)
    pixels = read_picture(written(TiffPage(values)))
    assert np.abs(pixels - in_eight_bits(values, (1 << bits) - 1)).max() <= 1
    cv2.imwrite(str(written(TiffPage(values)).with_suffix(".png")), values[..., ::-1])
    assert np.array_equal(read_picture(written(TiffPage(values)).with_suffix(".png")), pixels)


@pytest.mark.parametrize(
    "page", [TiffPage(GREY_16.astype(np.uint32), photometric=1), TiffPage(GREY_16, photometric=1, sample_format=2)]
)
def test_other_kinds_of_numbers_are_refused(written: Written, page: TiffPage) -> None:
    with pytest.raises(PictureError, match="save it with 8 or 16"):
        read_picture(written(page))


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (TiffPage(COLOUR_16, bits=12), "channels of 12 bits"),
        (TiffPage(GREY_16, photometric=1, bits=10), "channels of 10 bits"),
        (TiffPage(COLOUR_16.astype(np.uint32)), "channels of 32 bits"),
        (TiffPage(COLOUR_16.astype(np.float32), sample_format=3), "floating-point values"),
        (TiffPage(COLOUR_16.astype(np.int16), sample_format=2), "signed values"),
        (TiffPage(COLOUR_16, fill_order=2), "the bits of each byte in reverse order"),
    ],
    ids=lambda given: given.replace(" ", "-") if isinstance(given, str) else "",
)
def test_values_that_are_not_read_are_called_what_they_are(written: Written, page: TiffPage, why: str) -> None:
    with pytest.raises(PictureError, match=why):
        read_picture(written(page))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("deep", [False, True])
def test_orientation_is_heeded_in_every_format(tmp_path: Path, orientation: int, deep: bool) -> None:
    """Every format gives the same picture: the one that viewers show."""
    smooth = np.asarray(cv2.resize(COLOUR_8[:5, :6], (96, 80), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    for suffix in (".jpg", ".webp", ".png"):
        Image.fromarray(smooth).save(tmp_path / f"a{suffix}", exif=exif, quality=95)
    values = smooth.astype(np.uint16) * 257 if deep else smooth
    (tmp_path / "a.tif").write_bytes(tiff_file(TiffPage(values, orientation=orientation)))
    if deep:
        _deep_png(tmp_path / "a.png", values, exif)
    upright = smooth
    if orientation >= 5:
        upright = upright.transpose(1, 0, 2)
    turned = {2: "c", 3: "rc", 4: "r", 6: "c", 7: "rc", 8: "r"}.get(orientation, "")
    upright = upright[:: -1 if "r" in turned else 1, :: -1 if "c" in turned else 1]
    for suffix, off in ((".tif", 1), (".png", 1), (".jpg", 40), (".webp", 40)):
        read = read_picture(tmp_path / f"a{suffix}")
        assert read.shape == upright.shape, suffix
        assert np.abs(read.astype(int) - upright).mean() <= off / 4, suffix


@pytest.mark.parametrize("orientation", range(1, 9))
def test_grey_pages_are_turned_upright_as_colour_is(written: Written, orientation: int) -> None:
    grey = COLOUR_8[..., 0]
    as_colour = TiffPage(np.repeat(grey[..., None], 3, axis=2), orientation=orientation)
    as_grey = TiffPage(grey, photometric=1, orientation=orientation)
    shown = read_picture(written(as_grey))
    assert np.array_equal(shown, read_picture(written(as_colour, name="colour.tif")))


def _deep_png(path: Path, values: NDArray[np.uint16] | NDArray[np.uint8], exif: Image.Exif) -> None:
    cv2.imwrite(str(path), values[..., ::-1])
    content, tags = path.read_bytes(), exif.tobytes().removeprefix(b"Exif\0\0")
    chunk = struct.pack(">I", len(tags)) + b"eXIf" + tags + struct.pack(">I", zlib.crc32(b"eXIf" + tags))
    path.write_bytes(content[:33] + chunk + content[33:])


def test_each_full_page_is_a_field(written: Written) -> None:
    path = written(TiffPage(blotches(1)), TiffPage(blotches(2)), TiffPage(blotches(1)[::4, ::4], subfile_type=1))
    pages = list(read_pages(path))
    assert [name for name, _ in pages] == ["picture.tif#1", "picture.tif#2"]
    assert [np.array_equal(pixels, blotches(seed)) for seed, (_, pixels) in enumerate(pages, 1)] == [True, True]
    with pytest.raises(PictureError, match="several pages"):
        read_picture(path)


def test_a_focus_stack_is_refused_unless_it_is_asked_for(written: Written) -> None:
    sharp = blotches(3)
    path = written(TiffPage(sharp), TiffPage(np.asarray(cv2.GaussianBlur(sharp, (0, 0), 3))))
    with pytest.raises(PictureError, match="2 pages of one place, a focus stack"):
        list(read_pages(path))
    assert len(list(read_pages(path, one_place=True))) == 2


def test_channels_as_pages_are_joined_where_the_file_says_so_and_refused_elsewhere(tmp_path: Path) -> None:
    planes = [Image.fromarray(blotches(4)[..., channel]) for channel in range(3)]
    words = "ImageJ=1.54f\nimages=3\nchannels=3\nmode=composite\n"
    planes[0].save(tmp_path / "joined.tif", save_all=True, append_images=planes[1:], tiffinfo={270: words})
    planes[0].save(tmp_path / "loose.tif", save_all=True, append_images=planes[1:])
    assert np.array_equal(read_picture(tmp_path / "joined.tif"), blotches(4))
    with pytest.raises(PictureError, match="3 grey pages"):
        read_picture(tmp_path / "loose.tif")


def test_a_reduced_picture_is_never_counted_for_the_whole_one(written: Written) -> None:
    whole = TiffPage(blotches(5).repeat(2, axis=0).repeat(2, axis=1))
    hidden = written(TiffPage(blotches(5), subfile_type=1, sub_pages=(whole,)))
    with pytest.raises(PictureError, match="only a reduced picture"):
        read_picture(hidden)
    unmarked = written(TiffPage(blotches(5), sub_pages=(whole,)), name="unmarked.tif")
    with pytest.raises(PictureError, match="only a reduced picture"):
        read_picture(unmarked)
    behind = written(TiffPage(blotches(5), subfile_type=1), whole, name="behind.tif")
    assert np.array_equal(read_picture(behind), whole.values)


def test_raw_values_of_a_camera_are_refused(written: Written) -> None:
    with pytest.raises(PictureError, match="raw values"):
        read_picture(written(TiffPage(GREY_16, photometric=32803)))


def test_an_animation_is_refused_and_a_preview_behind_a_photograph_is_not(tmp_path: Path) -> None:
    places = [Image.fromarray(blotches(seed)) for seed in (6, 7)]
    places[0].save(tmp_path / "moving.webp", save_all=True, append_images=places[1:])
    with pytest.raises(PictureError, match="holds 2 pictures"):
        read_picture(tmp_path / "moving.webp")
    places[0].save(tmp_path / "phone.jpg", "MPO", save_all=True, append_images=[places[1].resize((40, 30))])
    assert read_picture(tmp_path / "phone.jpg").shape == (120, 160, 3)


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\0\0\0\x1cftypheic\0\0\0\0", "HEIC picture"),
        (b"\0\0\0\x1cftypavif\0\0\0\0", "AVIF picture"),
        (b"GIF89a", "GIF picture"),
        (b"%PDF-1.7", "PDF document"),
        (b"II*\0\x10\0\0\0CR\2\0", "camera raw file"),
        (b"\0" * 128 + b"DICM", "DICOM file"),
        (b"RIFF\x10\0\0\0AVI LIST", "recording"),
        (b"\0\0\0\x20ftypisom\0\0\2\0", "recording"),
        (b"\0\0\0\x14ftypqt  \0\0\2\0", "recording"),
        (b"\x1aE\xdf\xa3\x9fB\x86", "recording"),
    ],
)
def test_a_picture_of_another_kind_is_called_what_it_is(tmp_path: Path, start: bytes, kind: str) -> None:
    (tmp_path / "field.jpg").write_bytes(start + bytes(64))
    with pytest.raises(PictureError, match=f"is a {kind}, which is not read"):
        read_picture(tmp_path / "field.jpg")


def test_names_of_jpeg_files_are_all_read_and_other_pictures_are_left_out_by_name(tmp_path: Path) -> None:
    for name in ("a.jfif", "b.jpe", "c.jpg"):
        Image.fromarray(blotches(8)).save(tmp_path / name, "JPEG")
    Image.fromarray(blotches(8)).save(tmp_path / "d.dat", "PNG")
    (tmp_path / "e.heic").write_bytes(b"\0\0\0\x1cftypheic")
    (tmp_path / "f.avi").write_bytes(b"RIFF\x10\0\0\0AVI LIST")
    (tmp_path / "notes.txt").write_text("of the day")
    (tmp_path / "._c.jpg").write_bytes(b"what a system keeps beside a picture")
    assert [path.name for path in pictures_in(tmp_path)] == ["a.jfif", "b.jpe", "c.jpg"]
    assert [path.name for path in left_out(tmp_path)] == ["d.dat", "e.heic", "f.avi"]


@pytest.mark.parametrize("size", [(50_000_000, 1), (1, 40_000), (20_001, 2_000), (4_000, 100)])
def test_strips_are_refused_by_their_header(tmp_path: Path, size: tuple[int, int]) -> None:
    raw = zlib.compress(bytes((size[0] + 7) // 8 + 1) * size[1], 9)
    head = struct.pack(">IIBBBBB", *size, 1, 0, 0, 0, 0)
    chunks = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", head), (b"IDAT", raw), (b"IEND", b""))
    )
    (tmp_path / "strip.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    tracemalloc.start()
    with pytest.raises(PictureError, match=r"sides of at most|a strip and no field"):
        read_picture(tmp_path / "strip.png")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


@pytest.fixture
def of_another() -> Iterator[Path]:
    """A folder of a user that this test is not, with a picture and a folder in it that are closed to others."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        Image.fromarray(blotches(9)).save(folder / "a.png")
        Image.fromarray(blotches(9)).save(folder / "b.png")
        (folder / "closed").mkdir()
        for closed in ("a.png", "closed"):
            (folder / closed).chmod(0)
        superuser = os.geteuid() == 0
        if superuser:
            os.seteuid(65534)
        yield folder
        if superuser:
            os.seteuid(0)
        (folder / "closed").chmod(0o700)


def test_a_file_or_folder_without_permission_says_so_and_stops_nothing_else(of_another: Path) -> None:
    for closed in ("a.png", "closed"):
        with pytest.raises(PictureError, match="may not be read"):
            read_picture(of_another / closed)
    with pytest.raises(PictureError, match="cannot be looked into"):
        pictures_in(of_another / "closed")
    patterns = [str(of_another / "closed"), str(of_another)]
    assert [path.name for path in find_pictures(patterns)] == ["closed", "a.png", "b.png"]


def test_the_largest_picture_does_not_stand_in_memory(tmp_path: Path) -> None:
    for kind in ("jpg", "png"):
        large, small = (tmp_path / f"{name}.{kind}" for name in ("large", "small"))
        Image.new("RGB", (7_070, 7_070), (200, 120, 160)).save(large, compress_level=1)
        Image.new("RGB", (700, 700), (200, 120, 160)).save(small)
        # Once it took 352 MiB in two forms; at three bytes per pixel it has 143.
        assert growth_mib(large, small) < 60


KINDS: dict[str, dict[str, Any]] = {
    "jpeg": {},
    "jpeg-444": {"subsampling": 0},
    "jpeg-progressive": {"progressive": True},
    "png": {},
    "png-stored": {"compress_level": 0},
    "bmp": {},
    "tiff": {},
    "tiff-lzw": {"compression": "tiff_lzw"},
    "webp": {"lossless": True},
}


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_large_picture_has_the_pixels_of_a_small_one(
    tmp_path: Path, kind: str, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "picture"
    seen = np.tile(blotches(8), (3, 2, 1))[:700, :301]
    Image.fromarray(seen).convert(mode).save(path, kind.partition("-")[0], **KINDS[kind])
    usual = read_picture(path)
    monkeypatch.setattr(pictures, "_LARGE", 100)
    large = read_picture(path)
    assert is_in_file(large) and not is_in_file(usual)
    assert np.array_equal(large, usual)

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    in_memory = read_picture(path)
    assert not is_in_file(in_memory)
    assert np.array_equal(in_memory, usual)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "TIFF"])
@pytest.mark.parametrize("missing", [200, 2_000])
def test_a_large_picture_that_is_cut_short_is_refused(
    tmp_path: Path, kind: str, missing: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "picture"
    Image.fromarray(np.tile(blotches(8), (2, 2, 1))).save(path, kind)
    path.write_bytes(path.read_bytes()[:-missing])
    monkeypatch.setattr(pictures, "_LARGE", 100)
    with pytest.raises(PictureError, match="damaged or cut short"):
        read_picture(path)


def test_a_large_jpeg_that_opencv_cannot_decode_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "picture.jpg"
    Image.fromarray(np.tile(blotches(8), (2, 2, 1))).save(path)
    usual = read_picture(path)
    monkeypatch.setattr(pictures, "_LARGE", 100)
    # It leaves what it was given as it was, and says nothing.
    monkeypatch.setattr(cv2, "imread", lambda path, pixels, flags: pixels)
    assert np.array_equal(read_picture(path), usual)


def test_what_is_packed_in_a_large_png_file_may_be_spoilt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "picture.png"
    Image.fromarray(blotches(8)).save(path)
    content = bytearray(path.read_bytes())
    place = content.index(b"IDAT") + 30
    content[place : place + 40] = bytes(40)
    path.write_bytes(content)
    monkeypatch.setattr(pictures, "_LARGE", 100)
    with pytest.raises(PictureError, match="damaged or cut short"):
        read_picture(path)
