"""The window on a desktop, here without a desktop."""

from collections.abc import Iterator, Sequence

import pygame
import pytest
from PIL import Image

from leukoscope.controls import Action, Identify
from leukoscope.controls.window_keys import _ACTIONS, KEYS, WindowKeyboardSettings
from leukoscope.displays.language import words_of
from leukoscope.displays.panel import Panel
from leukoscope.displays.window import CLOSED, Window, WindowSettings
from leukoscope.errors import DisplayError
from leukoscope.specimen.sample_id import UNREADABLE, why_not_an_id

SIZE = (320, 240)


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Iterator[Window]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    opened = WindowSettings(field_width=640).open()
    yield opened
    opened.close()


def press(*keys: int, unicode: str = "", mod: int = 0) -> None:
    for key in keys:
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key, unicode=unicode, mod=mod))


def pixel(x: int, y: int) -> tuple[int, ...]:
    surface = pygame.display.get_surface()
    assert surface is not None
    return tuple(surface.get_at((x, y)))[:3]


def test_the_field_stands_left_of_the_display_and_neither_covers_the_other(window: Window) -> None:
    window.show(Image.new("RGB", SIZE, (10, 20, 200)))
    window.show_field(Image.new("RGB", (1330, 1080), (200, 20, 10)))
    assert pixel(12 + 320, 12 + 240) == (200, 20, 10)
    assert pixel(12 + 640 + 12 + 320, 12 + 240) == (10, 20, 200)
    window.show(Image.new("RGB", SIZE, (0, 99, 0)))
    assert pixel(12 + 320, 12 + 240) == (200, 20, 10)


def test_a_field_keeps_its_proportions(window: Window) -> None:
    window.show_field(Image.new("RGB", (1000, 100), (255, 255, 255)))
    rows = [y for y in range(12, 492) if pixel(332, y) == (255, 255, 255)]
    assert len(rows) == 64


def test_a_window_without_a_field_panel_ignores_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    narrow = WindowSettings(field_width=0).open()
    narrow.show_field(Image.new("RGB", (100, 100), (255, 255, 255)))
    surface = pygame.display.get_surface()
    assert surface is not None and surface.get_width() == 640 + 24
    assert (255, 255, 255) not in {pixel(x, 200) for x in range(664)}
    narrow.close()


def test_keys_are_told_once_in_the_order_they_were_pressed(window: Window) -> None:
    press(pygame.K_SPACE, pygame.K_LEFT, pygame.K_f)
    assert window.pressed() == ["space", "left", "f"]
    assert window.pressed() == []


def test_keys_pressed_while_the_window_is_drawn_are_not_lost(window: Window) -> None:
    press(pygame.K_SPACE)
    window.show(Image.new("RGB", SIZE))
    assert window.pressed() == ["space"]


def test_closing_the_window_by_hand_is_told_as_a_key(window: Window) -> None:
    pygame.event.post(pygame.event.Event(pygame.QUIT))
    assert window.pressed() == [CLOSED]


def test_without_a_desktop_the_error_names_other_displays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "no-such-driver")
    with pytest.raises(DisplayError, match=r'no window can be opened.*driver = "lcd"'):
        WindowSettings().open()


def foot_of(window: Window) -> Image.Image:
    surface = pygame.display.get_surface()
    assert surface is not None
    whole = Image.frombytes("RGB", surface.get_size(), pygame.image.tobytes(surface, "RGB"))
    return whole.crop((0, 12 + 480, whole.width, whole.height))


@pytest.mark.parametrize("field_width", [0, 640])
def test_a_window_says_what_its_keys_do_in_the_benchs_language(
    monkeypatch: pytest.MonkeyPatch, field_width: int
) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    window = WindowSettings(field_width=field_width).open()
    empty = foot_of(window)
    WindowKeyboardSettings().open(Panel([window]).keys)
    english = foot_of(window)
    assert english != empty
    window.show(Image.new("RGB", SIZE, (10, 20, 200)))
    assert foot_of(window) == english
    WindowKeyboardSettings().open(Panel([window], words_of("fr")).keys)
    assert foot_of(window) != english
    window.close()


def test_the_line_about_the_keys_names_every_key_there_is() -> None:
    named = {part.split(":")[0].strip() for part in KEYS.split("·")}
    letters = {key for key in _ACTIONS if len(key) == 1 and key != " "}
    assert named == letters | {"space", "i", "arrows"}


def identified(window: Window) -> Sequence[object]:
    control = WindowKeyboardSettings().open(window)
    events = []
    while (event := control.poll()) is not None:
        events.append(event)
    return events


def test_a_character_is_what_the_layout_of_the_keyboard_makes_of_the_key(window: Window) -> None:
    press(pygame.K_i, unicode="i")
    press(pygame.K_LSHIFT, mod=pygame.KMOD_LSHIFT)
    press(pygame.K_MINUS, unicode="_", mod=pygame.KMOD_LSHIFT)
    # A digit of a French keyboard.
    press(pygame.K_AMPERSAND, unicode="1", mod=pygame.KMOD_LSHIFT)
    press(pygame.K_b, unicode="b")
    press(pygame.K_TAB, unicode="\t")
    assert identified(window)[-1] == Identify("_1B")


@pytest.mark.parametrize("mod", [pygame.KMOD_LCTRL, pygame.KMOD_RALT, pygame.KMOD_LMETA])
def test_a_key_pressed_with_a_modifier_is_no_letter_of_an_id_and_no_action(window: Window, mod: int) -> None:
    press(pygame.K_q, unicode="\x11", mod=mod)
    assert identified(window) == []
    press(pygame.K_i, unicode="i")
    press(pygame.K_LCTRL, mod=mod)
    press(pygame.K_RIGHTBRACKET, unicode="\x1d", mod=mod)
    press(pygame.K_1, unicode="1")
    press(pygame.K_RETURN, unicode="\r")
    assert identified(window)[-1] == Identify(f"{UNREADABLE}1")


def test_more_keys_than_are_kept_leave_no_shorter_id(window: Window) -> None:
    control = WindowKeyboardSettings().open(window)
    press(pygame.K_i, unicode="i")
    assert control.poll() == Identify("", complete=False)
    for _ in range(6):
        press(*[pygame.K_1] * 100, unicode="1")
        window.show(Image.new("RGB", SIZE))
    press(pygame.K_RETURN, unicode="\r")
    while isinstance(event := control.poll(), Identify):
        assert not event.complete or why_not_an_id(event.sample_id) is not None


def test_capital_letters_mean_the_same_actions(window: Window) -> None:
    press(pygame.K_f, unicode="F", mod=pygame.KMOD_CAPS)
    assert identified(window) == [Action.FINISH]
