import numpy as np

from leukoscope.optics.motion import StageWatcher
from leukoscope.specimen.frame import Pixels
from tests.drawings import discs

_RNG = np.random.default_rng(3)
_SLIDE = discs([(float(r), float(c)) for r, c in _RNG.uniform(0, 1200, (700, 2))], size=(1200, 1200))


def view(row: int, col: int, noise_seed: int = 0) -> Pixels:
    """What a camera of 320x240 pixels sees of a slide of discs."""
    seen = _SLIDE[row : row + 240, col : col + 320].astype(int)
    noise = np.random.default_rng(noise_seed).normal(0, 3, seen.shape)
    return np.clip(seen + noise, 0, 255).astype(np.uint8)


def test_the_first_frame_is_not_known_to_be_still() -> None:
    assert not StageWatcher().is_still(view(100, 100))


def test_a_stage_at_rest_is_still_in_spite_of_noise() -> None:
    watcher = StageWatcher()
    watcher.is_still(view(100, 100, 1))
    assert watcher.is_still(view(100, 100, 2))


def test_a_moving_stage_is_not_still() -> None:
    watcher = StageWatcher()
    watcher.is_still(view(100, 100, 1))
    assert not watcher.is_still(view(100, 130, 2))
    assert not watcher.is_still(view(600, 700, 3))


def test_the_place_counted_last_is_not_new() -> None:
    watcher = StageWatcher()
    watcher.remember_counted(view(100, 100, 1))
    assert not watcher.is_new(view(100, 100, 2))
    assert not watcher.is_new(view(130, 180, 2))


def test_another_place_is_new() -> None:
    watcher = StageWatcher()
    assert watcher.is_new(view(100, 100))
    watcher.remember_counted(view(100, 100))
    assert watcher.is_new(view(600, 700))


def test_a_place_refused_twice_is_one_refusal() -> None:
    watcher = StageWatcher()
    assert watcher.is_new_refusal(view(100, 100, 1))
    assert not watcher.is_new_refusal(view(100, 100, 2))
    assert watcher.is_new_refusal(view(600, 700, 3))
