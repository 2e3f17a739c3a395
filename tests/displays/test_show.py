"""One screen on every display, of which any may fail."""

from PIL import Image

from leukoscope.displays.display import DisplayDefaults
from leukoscope.displays.screens import draw
from leukoscope.displays.show import Attended, show_everywhere
from leukoscope.errors import DisplayError
from tests.displays.exhibits import EXHIBITS

READY, SENT = EXHIBITS["ready"], EXHIBITS["sent"]


class Slate(DisplayDefaults):
    """A display that keeps what it is shown, and can fail."""

    def __init__(self, size: tuple[int, int], monochrome: bool) -> None:
        self.size = size
        self.monochrome = monochrome
        self.shown: list[Image.Image] = []
        self.tries = 0
        self.broken = False

    def show(self, image: Image.Image) -> None:
        self.tries += 1
        if self.broken:
            raise DisplayError("the slate is broken", "mend it")
        self.shown.append(image)

    def close(self) -> None:
        pass


def test_every_display_gets_the_screen_in_its_own_size() -> None:
    small, large = Slate((128, 64), True), Slate((320, 240), False)
    assert show_everywhere(READY, [Attended(small), Attended(large)], 0.0) == []
    assert small.shown == [draw(READY, (128, 64), True)]
    assert large.shown == [draw(READY, (320, 240), False)]


def test_a_failing_display_does_not_keep_the_screen_from_the_others() -> None:
    broken, sound = Slate((128, 64), True), Slate((128, 64), True)
    broken.broken = True
    errors = show_everywhere(READY, [Attended(broken), Attended(sound)], 0.0)
    assert [str(error) for error in errors] == ["the slate is broken: mend it"]
    assert len(sound.shown) == 1


def test_a_failed_display_is_left_alone_for_a_while_and_then_shown_the_present_screen() -> None:
    slate = Slate((128, 64), True)
    slate.broken = True
    attended = [Attended(slate, retry_s=5.0)]
    assert len(show_everywhere(READY, attended, 100.0)) == 1
    for tick in range(49):
        assert show_everywhere(READY, attended, 100.0 + tick / 10) == []
    assert slate.tries == 1
    slate.broken = False
    assert show_everywhere(SENT, attended, 105.0) == []
    assert slate.shown == [draw(SENT, (128, 64), True)]


def test_a_display_dead_for_a_day_is_tried_at_a_bounded_rate() -> None:
    slate = Slate((128, 64), True)
    slate.broken = True
    attended = [Attended(slate, retry_s=60.0)]
    for minute in range(24 * 60):
        for second in range(0, 60, 10):
            show_everywhere(READY, attended, minute * 60.0 + second)
    assert slate.tries == 24 * 60
