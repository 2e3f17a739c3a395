import struct
import zlib

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from leukoscope.cameras.picture_files import natural_key, pictures_in
from leukoscope.cameras.pictures import read_pages, read_picture
from leukoscope.errors import PictureError

RAMP = np.dstack(
    [np.tile(np.arange(0, 240, 5, dtype=np.uint8), (40, 1)), np.full((40, 48), 90), np.full((40, 48), 30)]
).astype(np.uint8)


@pytest.fixture
def saved(tmp_path):
    def save(picture, name="picture.png", **options):
        path = tmp_path / name
        picture.save(path, **options)
        return path

    return save


def png_header(width, height):
    """A PNG that claims a size and holds no pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("suffix", ["png", "tif", "TIFF", "bmp"])
def test_lossless_formats_come_back_as_they_were(saved, suffix):
    assert np.array_equal(read_picture(saved(Image.fromarray(RAMP), f"a.{suffix}")), RAMP)


@pytest.mark.parametrize("suffix", ["jpg", "JPEG", "webp"])
def test_lossy_formats_keep_red_red(saved, suffix):
    pixels = read_picture(saved(Image.new("RGB", (32, 32), (220, 30, 40)), f"a.{suffix}"))
    assert np.abs(pixels.astype(int) - (220, 30, 40)).max() < 12


def test_one_bit_becomes_black_and_white(saved):
    pixels = read_picture(saved(Image.fromarray(RAMP[..., 0] > 100)))
    assert pixels.shape == (40, 48, 3)
    assert set(np.unique(pixels)) == {0, 255}


def test_grey_becomes_three_equal_channels(saved):
    pixels = read_picture(saved(Image.fromarray(RAMP[..., 0])))
    assert np.array_equal(pixels, np.repeat(RAMP[..., :1], 3, axis=2))


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_are_scaled_not_cut(tmp_path, suffix):
    deep = np.array([[0, 257, 32896, 65535]], dtype=np.uint16)
    path = tmp_path / f"deep.{suffix}"
    cv2.imwrite(str(path), deep)
    assert read_picture(path)[0, :, 0].tolist() == [0, 1, 128, 255]


def test_sixteen_bit_colour_is_scaled_and_stays_rgb(tmp_path):
    deep = np.zeros((4, 4, 3), np.uint16)
    deep[..., 2] = 65535
    cv2.imwrite(str(tmp_path / "deep.png"), deep)
    assert read_picture(tmp_path / "deep.png")[0, 0].tolist() == [255, 0, 0]


def test_transparency_is_laid_over_white(saved):
    layer = Image.new("RGBA", (8, 8), (200, 0, 0, 0))
    layer.putpixel((1, 1), (200, 0, 0, 255))
    pixels = read_picture(saved(layer))
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[1, 1].tolist() == [200, 0, 0]


def test_grey_with_transparency_is_laid_over_white(saved):
    pixels = read_picture(saved(Image.new("LA", (8, 8), (10, 128))))
    assert pixels[0, 0].tolist() == pytest.approx([132, 132, 132], abs=2)


@pytest.mark.parametrize(("mode", "colour"), [("RGBA", (200, 0, 0, 0)), ("LA", (10, 128))])
def test_a_field_that_is_a_transparent_layer_is_refused_and_not_called_overexposed(saved, mode, colour):
    with pytest.raises(PictureError, match="transparent in 100% of its pixels: flatten its layers"):
        next(read_pages(saved(Image.new(mode, (8, 8), colour))))


def test_an_opaque_layer_is_a_field(saved):
    ((_, pixels),) = read_pages(saved(Image.new("RGBA", (8, 8), (200, 0, 0, 255))))
    assert pixels[0, 0].tolist() == [200, 0, 0]


def test_a_palette_is_looked_up(saved):
    pixels = read_picture(saved(Image.new("RGB", (8, 8), (12, 200, 34)).quantize(4)))
    assert np.abs(pixels[0, 0].astype(int) - (12, 200, 34)).max() <= 1


def test_a_transparent_palette_entry_becomes_white(saved):
    picture = Image.new("P", (8, 8), 0)
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.putpixel((0, 0), 1)
    pixels = read_picture(saved(picture, transparency=0))
    assert pixels[4, 4].tolist() == [255, 255, 255]
    assert pixels[0, 0].tolist() == [0, 0, 255]


def test_floating_point_pictures_are_refused(saved):
    with pytest.raises(PictureError, match="floating-point"):
        read_picture(saved(Image.fromarray(RAMP[..., 0].astype(np.float32)), "a.tif"))


def test_an_empty_file_says_so(tmp_path):
    (tmp_path / "a.png").touch()
    with pytest.raises(PictureError, match=r"a\.png is empty \(0 bytes\)"):
        read_picture(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "bmp", "webp"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_truncated_file_is_refused_and_never_half_read(saved, suffix, share):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    path = saved(Image.fromarray(noise), f"a.{suffix}")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(PictureError, match=r"a\.\w+ (cannot be decoded|is not a picture)"):
        read_picture(path)


def test_a_text_file_called_jpg_is_no_picture(tmp_path):
    (tmp_path / "notes.jpg").write_text("not a picture at all\n" * 50)
    with pytest.raises(PictureError, match="is not a picture, whatever its name says"):
        read_picture(tmp_path / "notes.jpg")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(PictureError, match=r"no picture at .*gone\.png"):
        read_picture(tmp_path / "gone.png")


def test_a_folder_is_no_picture(tmp_path):
    with pytest.raises(PictureError):
        read_picture(tmp_path)


@pytest.mark.parametrize("side", [8_000, 12_000, 20_000, 60_000])
def test_a_giant_is_refused_by_its_header_alone(tmp_path, side):
    (tmp_path / "giant.png").write_bytes(png_header(side, side))
    with pytest.raises(PictureError, match="at most 50,000,000 pixels"):
        read_picture(tmp_path / "giant.png")


def test_the_limit_can_be_lowered(saved):
    path = saved(Image.fromarray(RAMP))
    assert read_picture(path, max_pixels=48 * 40).shape == (40, 48, 3)
    with pytest.raises(PictureError, match="is 48x40 pixels; at most 1,919"):
        read_picture(path, max_pixels=48 * 40 - 1)


def test_what_is_read_can_be_written_to(saved):
    pixels = read_picture(saved(Image.fromarray(RAMP)))
    pixels[0, 0] = 7
    assert pixels.flags.c_contiguous


def test_pictures_are_found_in_the_order_people_number_them(tmp_path):
    for name in ("field10.png", "field2.PNG", "Field1.jpg", "notes.txt", "field2b.webp"):
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    found = [path.name for path in pictures_in(tmp_path)]
    assert found == ["Field1.jpg", "field2.PNG", "field2b.webp", "field10.png"]


@given(st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=6))
def test_the_order_never_depends_on_the_order_of_listing(names):
    listed_backwards = names[::-1]
    assert sorted(names, key=natural_key) == sorted(listed_backwards, key=natural_key)
