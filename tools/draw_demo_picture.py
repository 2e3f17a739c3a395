"""Makes device/demo.png, the README's picture, from what `./tools/demo` left in out/demo."""

import sys
import tomllib
from pathlib import Path

from PIL import Image

from leukoscope.displays.annotation import MEANINGS
from leukoscope.displays.screens import draw
from leukoscope.displays.state import Result, pages_of, result_of
from leukoscope.messages.json_format import from_bytes
from leukoscope.messages.report import decode
from screens_in_picture import ShownScreen, png_info

CHECKOUT = Path(__file__).resolve().parents[1]
SCREEN, SCALE = (320, 240), 2
HEIGHT = SCREEN[1] * SCALE
GAP = 8


def main() -> None:
    """Put the result screen beside the first two annotated fields."""
    demo = CHECKOUT / "out" / "demo"
    reports = sorted((demo / "state" / "reports").glob("report-*.json"))
    fields = sorted((demo / "state" / "fields").rglob("field-*.png"))
    if not reports or len(fields) < 2:
        sys.exit(f"expected the report and fields of a finished demo in {demo}: run ./tools/demo first")
    result = _result(reports[-1])
    glass = draw(result, SCREEN, False).resize((SCREEN[0] * SCALE, HEIGHT), Image.Resampling.NEAREST)
    parts = [glass] + [_of_height(path, Image.Resampling.LANCZOS) for path in fields[:2]]
    width = sum(part.width for part in parts) + GAP * (len(parts) - 1)
    sheet = Image.new("RGB", (width, HEIGHT), "white")
    left = 0
    for part in parts:
        sheet.paste(part, (left, 0))
        left += part.width + GAP
    # A palette keeps the picture small; one that covers the rare colours of the display, too.
    info = png_info([ShownScreen(result, SCREEN, 0, 0, SCALE)], [words for words, _, _ in MEANINGS])
    sheet.quantize(256, Image.Quantize.MAXCOVERAGE).save(CHECKOUT / "device" / "demo.png", optimize=True, pnginfo=info)


def _result(report: Path) -> Result:
    """What the display showed of this report."""
    manifest = tomllib.loads((CHECKOUT / "models" / "classifier" / "manifest.toml").read_text("utf-8"))
    labels = {one["key"]: one["short"] for one in manifest["classifier"]["classes"]}
    return pages_of(result_of(decode(from_bytes(report.read_bytes())), labels))[0]


def _of_height(path: Path, how: Image.Resampling) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB").resize((round(picture.width * HEIGHT / picture.height), HEIGHT), how)


if __name__ == "__main__":
    main()
