"""Makes device/demo.png, the README's picture, from what `./tools/demo` left in out/demo."""

import sys
from pathlib import Path

from PIL import Image

CHECKOUT = Path(__file__).resolve().parents[1]
HEIGHT = 480
GAP = 8


def main() -> None:
    """Put the result screen beside the first two annotated fields."""
    demo = CHECKOUT / "out" / "demo"
    screens = sorted((demo / "screens").glob("*.png"))
    fields = sorted((demo / "state" / "fields").rglob("field-*.png"))
    if len(screens) < 2 or len(fields) < 2:
        sys.exit(f"expected the screens and fields of a finished demo in {demo}: run ./tools/demo first")
    # The last screen tells about the delivery, the one before shows the result.
    parts = [_of_height(screens[-2], Image.Resampling.NEAREST)]
    parts += [_of_height(path, Image.Resampling.LANCZOS) for path in fields[:2]]
    width = sum(part.width for part in parts) + GAP * (len(parts) - 1)
    sheet = Image.new("RGB", (width, HEIGHT), "white")
    left = 0
    for part in parts:
        sheet.paste(part, (left, 0))
        left += part.width + GAP
    # A palette keeps the picture small; nobody measures cells in a README.
    sheet.quantize(256).save(CHECKOUT / "device" / "demo.png", optimize=True)


def _of_height(path: Path, how: Image.Resampling) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB").resize((round(picture.width * HEIGHT / picture.height), HEIGHT), how)


if __name__ == "__main__":
    main()
