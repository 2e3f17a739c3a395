"""Distance of what the last layer is given to the nearest class."""

from collections.abc import Callable

from methods.kinds import Pictures
from methods.knowing import Knowing, OutlierMethod, Strangeness, distance_to_classes


def make(knowing: Knowing) -> Callable[[Pictures], Strangeness]:
    """Learn the classes' means and their spread."""
    distance = distance_to_classes(knowing.pooled(knowing.pictures), knowing.labels)
    return lambda pictures: distance(knowing.pooled(pictures))


METHOD = OutlierMethod("Mahalanobis distance of the network's features", "Lee et al. 2018", make)
