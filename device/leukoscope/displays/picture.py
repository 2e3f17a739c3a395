"""The picture a display is handed, checked and brought to its kind of pixels."""

from PIL import Image

from leukoscope.errors import DisplayError


def fitted(picture: Image.Image, size: tuple[int, int], monochrome: bool) -> Image.Image:
    """The picture in mode "1" or "RGB"; grey becomes white from half brightness on, without dither.

    Raises:
        DisplayError: the picture is not of exactly `size` (width, height).
    """
    if picture.size != size:
        raise DisplayError(
            f"expected a picture of {size[0]}x{size[1]} pixels, found {picture.width}x{picture.height}",
            "draw it for the display's own size",
        )
    if not monochrome:
        return picture.convert("RGB")
    if picture.mode == "1":
        return picture
    return picture.convert("L").point([0] * 128 + [255] * 128, "1")
