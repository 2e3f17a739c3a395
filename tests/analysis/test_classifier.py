import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from leukoscope.analysis.classifier import Classifier
from leukoscope.errors import BundleError
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.network import Outputs
from leukoscope.specimen.cell import UNSURE, CellKind
from tests.bundles import classifier_bundle, segmenter_bundle
from tests.drawings import cell, discs, micrograph_of


class Brightness:
    """Votes by the grey level of what it is shown, and remembers it."""

    engine: str = "drawn"

    def __init__(self) -> None:
        self.seen: list[NDArray[np.uint8]] = []

    def run(self, picture: NDArray[np.uint8]) -> Outputs:
        self.seen.append(picture)
        grey = float(picture.mean())
        return {"logits": np.array([128 - grey, grey - 128], np.float32) / np.float32(20)}


def test_white_cells_are_named_and_the_others_keep_their_kind() -> None:
    classifier = Classifier(classifier_bundle(), Brightness())
    picture = micrograph_of(discs([(68, 68)], radius=40, shade=10))
    cells = classifier.name_cells(
        picture, [one.instance for one in (cell(CellKind.WBC), cell(CellKind.RBC), cell(CellKind.PLATELET))]
    )
    assert [one.cell_class for one in cells] == ["dark", "rbc", "platelet"]
    assert sum(cells[0].probabilities.values()) == pytest.approx(1)
    assert cells[1].probabilities == {}


@pytest.mark.parametrize(
    ("network_says", "device_tells"),
    [((0.95, 0.05), (1.0, 0.0)), ((0.725, 0.275), (0.75, 0.25)), ((0.99, 0.01), (1.0, 0.0))],
)
def test_what_label_smoothing_took_from_the_right_class_is_given_back(
    network_says: tuple[float, float], device_tells: tuple[float, float]
) -> None:
    """Taught with a tenth of each label on both classes alike, a network that is certain says 95 %."""

    class Certain:
        engine = "one that has learnt its labels"

        def run(self, _: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
            return {"logits": np.log(np.array(network_says, dtype=np.float32))}

    classifier = Classifier(classifier_bundle(label_smoothing=0.1), Certain())
    message = classifier.name_crop(np.zeros((40, 40, 3), dtype=np.uint8), 0.2)
    assert tuple(message.values()) == pytest.approx(device_tells, abs=1e-6)


def test_a_doubtful_cell_is_unsure() -> None:
    classifier = Classifier(classifier_bundle(unsure_below=0.9), Brightness())
    assert classifier.decide({"dark": 0.6, "bright": 0.4}) == (UNSURE, 0.6, ())
    assert classifier.decide({"dark": 0.95, "bright": 0.05}) == ("dark", 0.95, ())


def test_a_cell_between_two_classes_of_one_group_is_not_unsure() -> None:
    plain = classifier_bundle(unsure_below=0.7)
    assert plain.manifest.classifier is not None
    facts = plain.manifest.classifier.model_copy(update={"groups": {"grey": ("dark", "bright")}})
    grouped = Bundle(plain.folder, plain.manifest.model_copy(update={"classifier": facts}))
    between = {"dark": 0.45, "bright": 0.55}
    assert Classifier(plain, Brightness()).decide(between) == (UNSURE, 0.55, ())
    assert Classifier(grouped, Brightness()).decide(between) == ("bright", 0.55, ())


def test_the_likelier_group_wins_over_the_likelier_class() -> None:
    plain = classifier_bundle()
    assert plain.manifest.classifier is not None
    facts = plain.manifest.classifier.model_copy(update={"groups": {"grey": ("dark", "bright")}})
    classifier = Classifier(Bundle(plain.folder, plain.manifest.model_copy(update={"classifier": facts})), Brightness())
    best, group_share = classifier.best({"red": 0.4, "dark": 0.25, "bright": 0.35})
    assert best == "bright"
    assert group_share == pytest.approx(0.6)


def test_a_cell_that_is_not_clear_at_once_is_looked_at_again_mirrored() -> None:
    shaded = np.repeat(np.linspace(120, 132, 40, dtype=np.uint8)[None, :, None], 40, axis=0).repeat(3, axis=2)
    shaded[:20] += 1
    network = Brightness()
    named = Classifier(classifier_bundle(), network).name_crop(shaded, 0.2)
    first, second = network.seen
    assert (first != second).any()
    np.testing.assert_array_equal(second, first[:, ::-1])
    assert sum(named.values()) == pytest.approx(1)


def test_a_clear_cell_is_looked_at_once() -> None:
    network = Brightness()
    Classifier(classifier_bundle(), network).name_crop(np.full((40, 40, 3), 10, np.uint8), 0.2)
    assert len(network.seen) == 1


def test_a_higher_temperature_makes_it_less_certain() -> None:
    crop = np.full((40, 40, 3), 100, np.uint8)
    cool = Classifier(classifier_bundle(temperature=1.0), Brightness()).name_crop(crop, 0.2)
    warm = Classifier(classifier_bundle(temperature=4.0), Brightness()).name_crop(crop, 0.2)
    assert 0.5 < warm["dark"] < cool["dark"]


@pytest.mark.parametrize("um_per_px", [0.05, 0.1, 0.2, 0.3])
def test_the_window_is_the_same_piece_of_the_slide_at_any_scale(um_per_px: float) -> None:
    zoom = 0.2 / um_per_px
    # A 4 µm disc in the middle of a field: 20 network pixels across in a window of 40.
    size = round(240 * zoom), round(320 * zoom)
    picture = discs([(size[0] / 2, size[1] / 2)], size=size, radius=10 * zoom, shade=0, background=255)
    network = Brightness()
    Classifier(classifier_bundle(), network).name_crop(picture, um_per_px)
    dark = network.seen[0][..., 0] < 128
    assert dark.sum() * 0.2**2 == pytest.approx(np.pi * 2**2, rel=0.08)
    rows, cols = np.nonzero(dark)
    assert (rows.mean(), cols.mean()) == pytest.approx((19.5, 19.5), abs=0.6)


def test_a_cell_at_the_corner_still_gets_a_window() -> None:
    network = Brightness()
    classifier = Classifier(classifier_bundle(), network)
    corner = cell(CellKind.WBC, row=0, col=0, side=6, touches_border=True).instance
    (named,) = classifier.name_cells(micrograph_of(discs([])), [corner])
    assert named.cell_class == "bright"
    assert network.seen[0].shape == (40, 40, 3)


def test_a_segmenter_bundle_is_refused() -> None:
    with pytest.raises(BundleError, match="a classifier was expected"):
        Classifier(segmenter_bundle(), Brightness())


def test_a_cell_that_may_be_a_blast_is_never_silently_a_lymphocyte() -> None:
    costs = [{"truth": "bright", "named": ["dark"], "cost": 6.0}]
    suspect = {"bright": {"above": 0.05, "false_share": 0.04}}
    careless = Classifier(classifier_bundle(unsure_below=0.5), Brightness())
    careful = Classifier(classifier_bundle(unsure_below=0.5, costs=costs, suspect=suspect), Brightness())
    sure, possible, likely = (
        {"dark": 0.97, "bright": 0.03},
        {"dark": 0.92, "bright": 0.08},
        {"dark": 0.7, "bright": 0.3},
    )
    assert careless.decide(likely) == ("dark", 0.7, ())
    assert careful.decide(sure) == ("dark", 0.97, ())
    assert careful.decide(possible) == ("dark", 0.92, ("bright",))
    assert careful.decide(likely) == (UNSURE, 0.3, ("bright",)), "bright costs less, but not little enough"


def test_what_is_named_is_not_suspected_as_well() -> None:
    suspect = {"bright": {"above": 0.05, "false_share": 0.04}}
    classifier = Classifier(classifier_bundle(unsure_below=0.5, suspect=suspect), Brightness())
    assert classifier.decide({"dark": 0.1, "bright": 0.9}) == ("bright", 0.9, ())


def test_a_cell_named_as_blasts_are_is_suspect_but_its_neighbours_by_stage_are_not() -> None:
    suspect = {"bright": {"above": 0.1, "beside": ["dim"], "false_share": 0.04}}
    groups = {"shades": ["dim", "dusky"]}
    keys = ("dark", "dim", "dusky", "bright")
    classes = [{"key": key, "short": key[:5].upper(), "in_differential": True} for key in keys]
    bundle = classifier_bundle(classes=classes, unsure_below=0.5, groups=groups, suspect=suspect)
    classifier = Classifier(bundle, Brightness())
    shares = {"dark": 0.8, "dim": 0.15, "dusky": 0.03, "bright": 0.02}
    assert classifier.decide(shares).suspect == ("bright",)
    assert classifier.decide(shares | {"dark": 0.15, "dim": 0.8}) == ("dim", 0.8, ("bright",))
    assert classifier.decide(shares | {"dark": 0.03, "dusky": 0.8}) == ("dusky", 0.8, ()), "stages shade"


def test_a_price_for_a_class_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValidationError, match="names unknown classes"):
        classifier_bundle(costs=[{"truth": "purple", "named": ["dark"], "cost": 2.0}])
