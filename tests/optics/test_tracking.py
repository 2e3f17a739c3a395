import numpy as np
import pytest

from leukoscope.optics.tracking import StageTracker
from leukoscope.specimen.place import Place
from tests.optics.test_registration import WIDTH, view

START = Place(1, 0.0, 0.0)


def tracker_at(row: int, col: int) -> StageTracker:
    """A tracker that has counted the field at a place of the drawn slide."""
    tracker = StageTracker(0.01)
    tracker.follow(view(row, col, 1))
    tracker.remember(START)
    return tracker


def walk(tracker: StageTracker, places: list[tuple[int, int]]) -> Place | None:
    for number, (row, col) in enumerate(places):
        track = tracker.follow(view(row, col, number + 10))
    return track.place


def near(place: Place | None, row: float, col: float, within: float = 2.0) -> bool:
    return place is not None and abs(place.row - row) <= within and abs(place.col - col) <= within


def test_the_first_frame_is_not_known_to_be_still() -> None:
    assert not StageTracker(0.01).follow(view(100, 100)).still


def test_a_stage_at_rest_is_still_in_spite_of_noise() -> None:
    tracker = StageTracker(0.01)
    tracker.follow(view(100, 100, 1))
    assert tracker.follow(view(100, 100, 2)).still


def test_a_moving_stage_is_not_still_and_its_place_is_known() -> None:
    tracker = tracker_at(100, 100)
    track = tracker.follow(view(130, 160, 2))
    assert not track.still
    assert near(track.place, 30, 60)


def test_a_preview_is_followed_in_place_of_the_frame_and_places_are_in_pixels_of_the_frame() -> None:
    tracker = StageTracker(0.01)
    nothing = np.zeros_like(view(0, 0))
    tracker.follow(nothing, view(100, 100, 1)[::2, ::2])
    tracker.remember(START)
    assert near(tracker.follow(nothing, view(130, 160, 2)[::2, ::2]).place, 30, 60, within=3.0)


def test_errors_do_not_add_up_on_a_long_way_round() -> None:
    there = [(100, 100 + 25 * step) for step in range(30)]
    down = [(100 + 25 * step, 825) for step in range(20)]
    tracker = tracker_at(100, 100)
    assert near(walk(tracker, [*there, *down]), 475, 725)
    assert near(walk(tracker, [*down[::-1], *there[::-1]]), 0, 0)


def test_a_jump_out_of_view_loses_the_place_and_coming_back_finds_it() -> None:
    tracker = tracker_at(100, 100)
    assert tracker.follow(view(800, 800, 2)).place is None
    assert near(tracker.follow(view(110, 130, 3)).place, 10, 30)


def test_a_place_counted_long_ago_is_recognised() -> None:
    tracker = tracker_at(100, 100)
    walk(tracker, [(100, 180), (100, 260), (100, 340), (100, 420)])
    tracker.remember(Place(1, 0.0, 320.0))
    tracker.follow(view(800, 800, 2))
    tracker.follow(view(120, 150, 3))
    assert near(tracker.recognise(), 20, 50)


def test_a_place_never_seen_is_not_recognised() -> None:
    tracker = tracker_at(100, 100)
    tracker.follow(view(800, 800, 2))
    assert tracker.recognise() is None


def test_places_of_a_patch_that_is_left_out_are_not_asked() -> None:
    tracker = tracker_at(100, 100)
    tracker.follow(view(110, 110, 2))
    assert tracker.recognise(elsewhere_than=1) is None


def test_a_patch_that_was_joined_is_told_in_its_new_patch() -> None:
    tracker = tracker_at(100, 100)
    tracker.join(1, Place(7, 1000.0, 2000.0))
    assert near(tracker.follow(view(110, 120, 2)).place, 1010, 2020)


def test_empty_glass_is_still_so_that_the_gate_can_say_what_is_wrong() -> None:
    empty = np.full((240, WIDTH, 3), 230, dtype=np.uint8)
    tracker = tracker_at(100, 100)
    tracker.follow(empty)
    track = tracker.follow(empty)
    assert track.still
    assert track.place is None
    assert near(tracker.follow(view(105, 105, 2)).place, 5, 5)


def test_another_size_of_picture_begins_anew() -> None:
    tracker = tracker_at(100, 100)
    assert not tracker.follow(view(100, 100)[:200]).still
    assert tracker.recognise() is None


def test_a_place_refused_twice_is_one_refusal() -> None:
    tracker = StageTracker(0.01)
    refusals = []
    for number, (row, col) in enumerate([(100, 100), (100, 104), (600, 700)]):
        tracker.follow(view(row, col, number))
        refusals.append(tracker.refuses_again())
    assert refusals == [False, True, False]


def test_nothing_can_be_settled_before_the_first_frame() -> None:
    with pytest.raises(RuntimeError, match="no frame"):
        StageTracker(0.01).settle(START)
