"""Follows a stage that is moved by hand, from the pictures alone."""

from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from leukoscope.optics.registration import Shift, Thumbnail, small_grey
from leukoscope.schema import FrozenModel
from leukoscope.specimen.frame import Pixels
from leukoscope.specimen.place import Place

KEY_REACH = 0.35
"""A picture that has moved further than this share of its width becomes the one later ones are placed by: each
change of it adds about 0.1 µm of error, and waiting longer risks losing the place."""
GLANCE_COLS = 48
"""Width of the pictures in which places seen before are looked up."""
GLANCED = 0.36
"""Evidence at a glance from which a place is worth a closer look; unrelated ones reached 0.35."""
LOOKED_AT_CLOSELY = 3
FEATURELESS = 1.0
"""Contrast, grey levels, of a picture that shows no cells to follow: empty glass, or far out of focus."""
SAME_REFUSAL = 0.5
"""A refused place is another one once the picture has moved by this share of its width."""

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class NewFieldRule(FrozenModel):
    """When a frame is counted."""

    when: Literal["moved", "every_frame"] = "moved"
    """"moved": the stage rests and shows more of the slide; a stored picture is of a stage at rest, and one that shows
    a place of another is counted once. "every_frame": each picture is another place, whatever it shows (replay)."""
    max_shift_share: Share = 0.01
    """The stage rests when the picture moves by less than this share of its width between frames."""
    min_new_share: Annotated[float, Field(gt=0.0, le=1.0)] = 0.05
    """A place is worth counting when at least this share of it was not counted before."""


@dataclass(frozen=True, slots=True)
class Track:
    """What one frame tells about the stage."""

    still: bool
    """It rests."""
    place: Place | None
    """Where the picture lies; None when it was moved too fast to follow, and before the first field."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A place that can be found again."""

    place: Place
    grey: NDArray[np.uint8]
    """As the thumbnail's; a hundredth of its spectrum's memory, and looked at closely once in a while only."""
    glance: Thumbnail


class StageTracker:
    """Tells, frame by frame, whether the stage rests, and where.

    Each frame is placed by a key picture, which changes only when little of it is left in view, so that errors do
    not add up frame by frame; where that fails, as while focusing, by the frame before. Once neither does, the place
    is lost until it is recognised or the owner declares a new patch.
    """

    def __init__(self, max_shift_share: float, *, stills: bool = False) -> None:
        """A frame is still when it moved by at most `max_shift_share` of its width since the one before.

        With `stills` each is: they were taken one by one, and need not show the same place as those before.
        """
        self._max_shift_share = max_shift_share
        self._stills = stills
        self._size = (0, 0)
        self._now: Thumbnail | None = None
        self._place: Place | None = None
        self._key: tuple[Thumbnail, Place] | None = None
        self._known: list[_Known] = []
        self._refused: Thumbnail | None = None

    def follow(self, pixels: Pixels, preview: Pixels | None = None) -> Track:
        """Take in the next frame; it must see every frame. The first is still among `stills` only.

        Args:
            pixels: RGB (rows, cols, 3); places are given in its pixels.
            preview: the same view smaller, where the camera gives one: it saves shrinking the frame.
        """
        size = (pixels.shape[0], pixels.shape[1])
        if size != self._size:
            # Another camera mode: nothing known fits.
            self._size, self._now, self._key, self._place, self._refused = size, None, None, None, None
            self._known.clear()
        before, was_at = self._now, self._place
        self._now = Thumbnail.of(pixels if preview is None else preview)
        if before is None or self._now.contrast < FEATURELESS:
            # Where there is nothing to follow, the gate is asked what is wrong.
            self._place = None
            return Track(self._stills or (before is not None and before.contrast < FEATURELESS), None)
        step = before.shift_to(self._now)
        self._place = self._placed(self._now, step, was_at)
        return Track(self._stills or self._rests(step), self._place)

    def settle(self, place: Place) -> None:
        """The frame followed last lies here, whatever was thought of it."""
        if self._now is None:
            raise RuntimeError("no frame was followed yet")
        self._place, self._key = place, (self._now, place)

    def remember(self, place: Place) -> None:
        """As `settle`, and this place is to be recognised later."""
        self.settle(place)
        if self._now is not None:
            self._known.append(_Known(place, self._now.grey.astype(np.uint8), _glance(self._now)))

    @property
    def picture(self) -> NDArray[np.uint8]:
        """The small grey picture of the frame followed last: what `know` needs of it."""
        if self._now is None:
            raise RuntimeError("no frame was followed yet")
        return self._now.grey.astype(np.uint8)

    def know(self, place: Place, picture: NDArray[np.uint8], size: tuple[int, int]) -> None:
        """A place is to be recognised that another tracker remembered.

        Args:
            place: where it lies.
            picture: that tracker's `picture` of it.
            size: (rows, cols) of the frame it was made of; frames of another size forget it.
        """
        self._size = size
        self._known.append(_Known(place, picture, _glance(Thumbnail(picture.astype(np.float32)))))

    def recognise(self, *, elsewhere_than: int | None = None) -> Place | None:
        """Where the frame followed last lies, from places remembered, or None when it shows none of them.

        Args:
            elsewhere_than: a patch whose places are not asked.
        """
        if self._now is None:
            return None
        glance = _glance(self._now)
        seen = [(known.glance.shift_to(glance), known) for known in self._known if known.place.patch != elsewhere_than]
        worth = sorted((one for one in seen if one[0].evidence >= GLANCED), key=lambda one: -one[0].evidence)
        for _, known in worth[:LOOKED_AT_CLOSELY]:
            shift = Thumbnail(known.grey.astype(np.float32)).shift_to(self._now)
            if shift.believed:
                return self._moved(known.place, shift)
        return None

    def refuses_again(self) -> bool:
        """Whether the frame followed last shows the place that was asked about last; remembers it."""
        refused, self._refused = self._refused, self._now
        if refused is None or self._now is None:
            return False
        if max(refused.contrast, self._now.contrast) < FEATURELESS:
            return True
        shift = refused.shift_to(self._now)
        return shift.believed and max(abs(shift.down), abs(shift.right)) < SAME_REFUSAL

    def join(self, patch: int, to: Place) -> None:
        """The first corner of a patch turned out to lie at a place of another one."""

        def joined(place: Place) -> Place:
            return to.moved(place.row, place.col) if place.patch == patch else place

        self._known = [replace(known, place=joined(known.place)) for known in self._known]
        self._place = None if self._place is None else joined(self._place)
        self._key = None if self._key is None else (self._key[0], joined(self._key[1]))

    def _rests(self, step: Shift) -> bool:
        return step.believed and max(abs(step.down), abs(step.right)) <= self._max_shift_share

    def _placed(self, now: Thumbnail, step: Shift, was_at: Place | None) -> Place | None:
        if self._key is None:
            return None
        key, key_place = self._key
        from_key = key.shift_to(now)
        if from_key.believed:
            place = self._moved(key_place, from_key)
            if max(abs(from_key.down), abs(from_key.right)) > KEY_REACH:
                self._key = (now, place)
            return place
        if was_at is None or not step.believed:
            return None
        place = self._moved(was_at, step)
        self._key = (now, place)
        return place

    def _moved(self, place: Place, shift: Shift) -> Place:
        """Content that moves right means a stage that moved left."""
        return place.moved(-shift.down * self._size[1], -shift.right * self._size[1])


def _glance(thumbnail: Thumbnail) -> Thumbnail:
    return Thumbnail(small_grey(thumbnail.grey, GLANCE_COLS))
