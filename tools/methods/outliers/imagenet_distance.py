"""Distance of what a network of everyday pictures sees to the nearest class."""

from collections.abc import Callable

from methods.deep.efficientnet import embed
from methods.kinds import Pictures
from methods.knowing import Knowing, OutlierMethod, Strangeness, distance_to_classes


def make(knowing: Knowing) -> Callable[[Pictures], Strangeness]:
    """Learn where the classes lie."""
    distance = distance_to_classes(embed(knowing.pictures), knowing.labels)
    return lambda pictures: distance(embed(pictures))


METHOD = OutlierMethod("Mahalanobis distance of EfficientNet-Lite0's features", "Lee et al. 2018", make)
