"""What kind of picture a file is by its first bytes, whatever its name says."""

from pathlib import Path

READ = ("PNG", "JPEG", "TIFF", "BMP", "WEBP")
"""Formats that are decoded, by Pillow's names."""
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".jfif", ".jpe", ".tif", ".tiff", ".bmp", ".webp"})
"""File names read as pictures, in any case."""
_FOREIGN_SUFFIXES = frozenset(
    f".{name}"
    for names in (
        ("heic", "heif", "avif", "gif", "jp2", "j2k", "jpx", "jxl", "ppm", "pgm", "tga", "exr", "ico"),
        ("dng", "cr2", "cr3", "nef", "arw", "raf", "rw2", "orf", "pef", "srw"),
        ("czi", "lif", "nd2", "svs", "ndpi", "mrxs", "scn", "vsi", "oib", "dcm"),
        ("psd", "xcf", "svg", "eps", "pdf"),
    )
    for name in names
)
"""File names of pictures that are not decoded."""
_ISO_BRANDS = {
    b"heic": "HEIC picture",
    b"heix": "HEIC picture",
    b"hevc": "HEIC picture",
    b"mif1": "HEIC picture",
    b"msf1": "HEIC picture",
    b"avif": "AVIF picture",
    b"avis": "AVIF picture",
    b"crx ": "camera raw file",
    b"qt  ": "recording",
    **dict.fromkeys((b"isom", b"iso2", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V "), "recording"),
}
_MAGIC = (
    (b"GIF8", "GIF picture"),
    (b"\xff\x0a", "JPEG XL picture"),
    (b"\0\0\0\x0cJXL ", "JPEG XL picture"),
    (b"\0\0\0\x0cjP  ", "JPEG 2000 picture"),
    (b"\xff\x4f\xff\x51", "JPEG 2000 picture"),
    (b"%PDF", "PDF document"),
    (b"8BPS", "Photoshop file"),
    (b"ZISRAWFILE", "Zeiss CZI file"),
    (b"FUJIFILMCCD-RAW", "camera raw file"),
    (b"IIRO", "camera raw file"),
    (b"IIU\0", "camera raw file"),
    (b"II+\0", "BigTIFF file"),
    (b"MM\0+", "BigTIFF file"),
    (b"\x1aE\xdf\xa3", "recording"),
)
_TIFF = (b"II*\0", b"MM\0*")
_READ_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\0", b"MM\0*")
_LOOKED_AT_BYTES = 140


def foreign_kind(path: Path) -> str | None:
    """What a file is in words when it is a picture of a kind that is not decoded; None for every other file.

    Raises:
        OSError: it cannot be read.
    """
    start = _start_of(path)
    if start[4:8] == b"ftyp" and start[8:12] in _ISO_BRANDS:
        return _ISO_BRANDS[start[8:12]]
    if start[:4] in _TIFF and start[8:10] == b"CR":
        return "camera raw file"
    if start[:4] == b"RIFF" and start[8:12] == b"AVI ":
        return "recording"
    if start[128:132] == b"DICM":
        return "DICOM file"
    return next((words for magic, words in _MAGIC if start.startswith(magic)), None)


def is_left_out(path: Path) -> bool:
    """Whether a file that is not read by its name holds a picture nevertheless, as far as name and first bytes say."""
    if path.suffix.lower() in _FOREIGN_SUFFIXES:
        return True
    try:
        start = _start_of(path)
        webp = start[:4] == b"RIFF" and start[8:12] == b"WEBP"
        return webp or start.startswith(_READ_MAGIC) or foreign_kind(path) is not None
    except OSError:
        return True


def is_tiff(path: Path) -> bool:
    """Whether a file begins as a TIFF file does."""
    return _start_of(path)[:4] in _TIFF


def _start_of(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_LOOKED_AT_BYTES)
