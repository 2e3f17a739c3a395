"""How badly an autoencoder that has seen known cells draws a cell."""

from collections.abc import Callable

from methods.deep.autoencoder import learn, loss_of
from methods.kinds import Pictures
from methods.knowing import Knowing, OutlierMethod, Strangeness


def make(knowing: Knowing) -> Callable[[Pictures], Strangeness]:
    """Learn the known cells without their names."""
    net = learn(knowing.pictures, knowing.seconds)
    return lambda pictures: loss_of(net, pictures)


METHOD = OutlierMethod("autoencoder's error", "Hinton & Salakhutdinov 2006", make)
