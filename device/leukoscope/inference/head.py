"""The last layer of a classifier, kept apart from its network: the network sees, the head names.

Apart, because it is all of a classifier that a laboratory's own cells can change on the device (`adapting`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from leukoscope.errors import BundleError
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.network import Network, Outputs
from leukoscope.system.npz import read_arrays

FEATURES, LOGITS = "features", "logits"
"""Outputs of a classifying network: what the head is given, and what it makes of that."""


@dataclass(frozen=True, slots=True)
class Head:
    """Logits are `features @ weights.T + biases`."""

    weights: NDArray[np.float32]
    """(classes, features)."""
    biases: NDArray[np.float32]
    """(classes,)."""

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        """From the arrays of a head's file.

        Raises:
            ValueError: they are none.
        """
        weights, biases = (arrays.get(name, np.empty(0)) for name in ("weights", "biases"))
        if weights.ndim != 2 or biases.shape != weights.shape[:1]:
            raise ValueError(f"weights of shape {weights.shape} and biases of shape {biases.shape} are no layer")
        if any(one.dtype.kind != "f" or not np.isfinite(one).all() for one in (weights, biases)):
            raise ValueError("expected finite numbers")
        return cls(weights.astype(np.float32), biases.astype(np.float32))

    def logits(self, features: NDArray[np.floating]) -> NDArray[np.float32]:
        """(..., classes) for features (..., features)."""
        return np.asarray(features @ self.weights.T + self.biases, dtype=np.float32)


class NamedByHead:
    """A network that sees, and a head that names what it sees."""

    def __init__(self, network: Network, head: Head) -> None:
        self._network, self._head = network, head
        self.engine = network.engine

    def run(self, picture: NDArray[np.uint8]) -> Outputs:
        """See `Network.run`; `logits` stand beside the features they are made from."""
        outputs = self._network.run(picture)
        return {**outputs, LOGITS: self._head.logits(outputs[FEATURES])}


def read_head(bundle: Bundle) -> Head | None:
    """The head of a bundle; None where its network names by itself.

    Raises:
        BundleError: the file is missing, altered or malformed.
    """
    path = bundle.head_path()
    if path is None:
        return None
    try:
        return Head.of_arrays(read_arrays(path.read_bytes()))
    except ValueError as error:
        raise BundleError(f"{path} is malformed ({error})", "install the bundle again") from error


def read_known(bundle: Bundle) -> NDArray[np.float32] | None:
    """Second moments of what a bundle's head is given on cells that its network learnt from; None where it has none.

    Returns:
        Shape (features + 1, features + 1): the last row and column stand for the bias.

    Raises:
        BundleError: a file is missing, altered or malformed, or does not fit the head.
    """
    head, path = read_head(bundle), bundle.known_path()
    if head is None or path is None:
        return None
    try:
        moments = read_arrays(path.read_bytes()).get("moments", np.empty(0))
    except ValueError as error:
        raise BundleError(f"{path} is malformed ({error})", "install the bundle again") from error
    side = head.weights.shape[1] + 1
    if moments.shape != (side, side) or moments.dtype.kind != "f" or not np.isfinite(moments).all():
        raise BundleError(
            f"{path} is malformed (expected {side} x {side} finite moments, found {moments.shape})",
            "install the bundle again",
        )
    return moments.astype(np.float32)


def with_head(network: Network, bundle: Bundle) -> Network:
    """A network as it is, or with the head its bundle brings.

    Raises:
        BundleError: as `read_head`.
    """
    head = read_head(bundle)
    return network if head is None else NamedByHead(network, head)
