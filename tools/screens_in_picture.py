"""What a picture of the documents shows of the display, written into the PNG, so that a test draws it anew."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydantic import TypeAdapter

from leukoscope.displays.state import Screen

_SCREENS, _KEY = "leukoscope screens", "leukoscope key"
_KINDS = {kind.__name__: kind for kind in get_args(Screen)}


@dataclass(frozen=True, slots=True)
class ShownScreen:
    """A screen in a picture."""

    screen: Screen
    drawn: tuple[int, int]
    """(width, height) that it was drawn at."""
    left: int
    top: int
    """Where it lies in the picture, pixels."""
    scale: int = 1
    """By how much it was enlarged."""


def png_info(shown: Iterable[ShownScreen], key: Iterable[str] = ()) -> PngInfo:
    """To be saved with the PNG: its screens, and the words of an annotated field's key."""
    info = PngInfo()
    described = [{"kind": type(one.screen).__name__, **{**asdict(one), "screen": asdict(one.screen)}} for one in shown]
    info.add_itxt(_SCREENS, json.dumps(described))
    info.add_itxt(_KEY, json.dumps(list(key)))
    return info


def shown_in(path: Path) -> tuple[list[ShownScreen], list[str]]:
    """The screens and the words of the key that a picture was saved with."""
    with Image.open(path) as picture:
        screens, key = picture.info[_SCREENS], picture.info[_KEY]
    shown = []
    for one in json.loads(screens):
        screen = TypeAdapter(_KINDS[one.pop("kind")]).validate_python(one.pop("screen"), strict=False)
        shown.append(ShownScreen(screen=screen, drawn=tuple(one.pop("drawn")), **one))
    return shown, json.loads(key)
