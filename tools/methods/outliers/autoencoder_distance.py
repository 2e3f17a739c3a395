"""Distance of what an autoencoder keeps of a cell to the nearest class."""

from collections.abc import Callable

from methods.deep.autoencoder import kept_of, learn
from methods.kinds import Pictures
from methods.knowing import Knowing, OutlierMethod, Strangeness, distance_to_classes


def make(knowing: Knowing) -> Callable[[Pictures], Strangeness]:
    """Learn the known cells without their names, then where the classes lie."""
    net = learn(knowing.pictures, knowing.seconds)
    distance = distance_to_classes(kept_of(net, knowing.pictures), knowing.labels)
    return lambda pictures: distance(kept_of(net, pictures))


METHOD = OutlierMethod("Mahalanobis distance of the autoencoder's features", "Denouden et al. 2018", make)
