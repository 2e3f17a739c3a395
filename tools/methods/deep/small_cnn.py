"""A small network for pictures of 32 pixels: what training with a GAN's cells is compared with."""

from __future__ import annotations

from torch import nn

from methods.kinds import DeepMethod
from methods.learning import named_by

SIDE_PX = 32


def network(classes: int) -> nn.Module:
    """Four convolutions."""
    layers: list[nn.Module] = []
    for inputs, outputs, stride in ((3, 32, 1), (32, 64, 2), (64, 96, 2), (96, 128, 2)):
        layers += [nn.Conv2d(inputs, outputs, 3, stride, 1), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, classes))


METHOD = DeepMethod("small CNN, 32 px", "as in most papers of the review", named_by(network, SIDE_PX))
