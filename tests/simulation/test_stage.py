import pytest

from leukoscope.simulation.stage import Places, Serpentine, Stage


class Clock:
    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


def test_keys_move_the_stage_by_steps():
    stage = Stage(Clock(), 10, 20)
    stage.move_by(5, -2)
    assert stage.position_um == (15, 18)
    stage.move_to(-1, 3)
    assert stage.position_um == (-1, 3)


def test_a_serpentine_turns_at_the_end_of_a_row_and_never_ends():
    path = Serpentine(columns=3, step_x_um=10, step_y_um=7, dwell_s=1)
    visited = [path.at(second + 0.5) for second in range(8)]
    assert visited == [(0, 0), (10, 0), (20, 0), (20, 7), (10, 7), (0, 7), (0, 14), (10, 14)]


def test_the_stage_rests_then_moves_steadily():
    clock = Clock()
    stage = Stage(clock, path=Serpentine(columns=5, step_x_um=10, step_y_um=10, dwell_s=2, travel_s=1))
    seen = []
    for clock.seconds in (0.0, 1.9, 2.5, 3.0, 4.9):
        seen.append(stage.position_um[0])
    assert seen == pytest.approx([0, 0, 5, 10, 10])


def test_travel_during_an_exposure_is_what_the_path_moved():
    clock = Clock()
    stage = Stage(clock, path=Places([(0, 0), (30, 40)], dwell_s=1, travel_s=1))
    clock.seconds = 1.5
    assert stage.travelled_um(0.1) == pytest.approx((3, 4))
    stage.move_by(1000, 0)
    assert stage.travelled_um(0.1) == pytest.approx((3, 4))
    clock.seconds = 5
    assert stage.travelled_um(0.1) == (0, 0)


def test_a_list_of_places_ends_at_its_last():
    path = Places([(0, 0), (5, 5), (9, 1)], dwell_s=1)
    assert [path.at(t) for t in (0.5, 1.5, 2.5, 99)] == [(0, 0), (5, 5), (9, 1), (9, 1)]


def test_moving_by_hand_takes_the_path_along():
    clock = Clock()
    stage = Stage(clock, path=Serpentine(columns=9, step_x_um=10, step_y_um=10, dwell_s=1))
    stage.move_to(100, 100)
    clock.seconds = 1.5
    assert stage.position_um == (110, 100)
