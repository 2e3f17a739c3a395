import pytest

from benchmarking.counted_once import Walked, walk_slide
from benchmarking.walks import Leg, Walk, walks
from leukoscope.service.models import open_models
from leukoscope.settings import ModelSettings
from leukoscope.simulation.microscope import MicroscopeSettings
from leukoscope.simulation.smear import SmearSettings
from leukoscope.specimen.cell import CellKind

SMEAR = SmearSettings(seed=4, white_per_1000_rbc=40)


def walked(*legs: Leg) -> Walked:
    return walk_slide(open_models(ModelSettings()), Walk(list(legs)), SMEAR, MicroscopeSettings(seed=4))


def test_there_and_back_again_counts_each_cell_once() -> None:
    there = [Leg(0.5, 0.0, 0.5, 0.3), Leg(0.5, 0.1, 0.5, 0.3)]
    back = [Leg(-0.5, -0.1, 0.5, 0.3), Leg(-0.5, 0.0, 0.5, 0.3)]
    result = walked(*there, *back)
    red = result.scores[CellKind.RBC]
    assert (result.fields, result.patches) == (3, 1)
    assert red.shown > 80
    assert red.missed <= 0.02 * red.shown
    assert red.twice == 0
    assert red.added_up > 0.3 * red.shown


def test_a_jolt_makes_another_patch_and_coming_back_joins_nothing_that_does_not_overlap() -> None:
    result = walked(Leg(0.4, 0.0, 0.4, 0.3), Leg(7.0, 3.0, 0.1, 0.4), Leg(-7.2, -3.0, 0.1, 0.4))
    assert result.patches == 2
    assert result.lost_frames > 0
    assert result.scores[CellKind.RBC].twice == 0


def test_two_patches_are_joined_when_a_field_bridges_them() -> None:
    result = walked(Leg(1.6, 0.0, 0.1, 0.4), Leg(-0.4, 0.0, 0.4, 0.3), Leg(-0.4, 0.0, 0.4, 0.3))
    assert result.patches == 1
    assert result.scores[CellKind.RBC].twice == 0


def test_every_walk_ends_at_rest_and_in_focus() -> None:
    for name, walk in walks(0.75, 1).items():
        moment = walk.at(walk.seconds)
        assert moment.resting, name
        assert moment.defocus_um == pytest.approx(0), name


def test_a_walk_moves_steadily_and_rests() -> None:
    walk = Walk([Leg(1.0, 0.0, 1.0, 0.5, defocus_um=2.0)])
    assert walk.at(0.5 + 0.25).right == pytest.approx(0.25)
    assert not walk.at(0.5 + 0.25).resting
    assert walk.at(1.75).defocus_um == pytest.approx(2.0)
    assert walk.at(99.0).right == pytest.approx(1.0)
