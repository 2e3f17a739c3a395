"""VGG with batch normalisation (Simonyan & Zisserman 2015), with its ImageNet weights where a file has them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from torch import Tensor, nn

from methods.kinds import DeepNames, Pictures, Words
from methods.learning import answers, kb_of, named_by

PLANS: dict[int, tuple[int | str, ...]] = {
    16: (64, 64, "M", 128, 128, "M", 256, 256, 256, "M", 512, 512, 512, "M", 512, 512, 512, "M"),
    19: (64, 64, "M", 128, 128, "M", *(256,) * 4, "M", *(512,) * 4, "M", *(512,) * 4, "M"),
}
WEIGHTS = "LEUKOSCOPE_VGG_WEIGHTS"
"""A folder with torchvision's files, such as vgg16_bn-6c64b313.pth; nothing is fetched."""
REDUCED = 8
"""From scratch every layer has this many times fewer channels."""
SCRATCH_PX, TRANSFER_PX = 64, 128


class Vgg(nn.Module):  # type: ignore[misc,unused-ignore]
    """The convolutions of VGG, the mean over the picture and one layer of names."""

    def __init__(self, depth: int, classes: int, reduced: int = 1) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        inputs = 3
        for size in PLANS[depth]:
            if isinstance(size, str):
                layers.append(nn.MaxPool2d(2))
                continue
            outputs = size // reduced
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]
            inputs = outputs
        self.features = nn.Sequential(*layers)
        self.name = nn.Linear(inputs, classes)

    def pooled(self, pictures: Tensor) -> Tensor:
        """Means of the last convolutions' answers, (cells, 512 / reduced)."""
        return torch.mean(self.features(pictures), dim=(2, 3))

    def forward(self, pictures: Tensor) -> Tensor:
        """Logits, (cells, classes)."""
        logits: Tensor = self.name(self.pooled(pictures))
        return logits


def published(depth: int) -> Path | None:
    """The file of ImageNet weights, where there is one."""
    folder = os.environ.get(WEIGHTS)
    return next(iter(sorted(Path(folder).glob(f"vgg{depth}_bn*.pth"))), None) if folder else None


def with_weights(depth: int, path: Path) -> Vgg:
    """The full network with the convolutions of a file in torchvision's layout.

    Raises:
        ValueError: the file is of another network.
    """
    net = Vgg(depth, classes=1)
    stored = torch.load(path, map_location="cpu", weights_only=True)
    own = {key.removeprefix("features."): value for key, value in stored.items() if key.startswith("features.")}
    try:
        net.features.load_state_dict(own)
    except RuntimeError as error:
        raise ValueError(f"expected the weights of VGG-{depth} with batch normalisation in {path}") from error
    net.eval()
    return net


def fit_of(depth: int) -> Callable[[Pictures, Words, float], DeepNames]:
    """Transfer where the published weights are there, from scratch at reduced size where they are not."""

    def fit(pictures: Pictures, labels: Words, seconds: float) -> DeepNames:
        path = published(depth)
        if path is None:
            return named_by(lambda classes: Vgg(depth, classes, REDUCED), SCRATCH_PX)(pictures, labels, seconds)
        net = with_weights(depth, path)

        def seen(some: Pictures) -> np.typing.NDArray[np.float32]:
            return answers(lambda batch: net.pooled(_as_imagenet(batch)), some, TRANSFER_PX)

        head = LogisticRegression(C=0.1, max_iter=200, class_weight="balanced").fit(seen(pictures), labels)
        return DeepNames(lambda some: np.asarray(head.predict(seen(some))), kb_of(net))

    return fit


def _as_imagenet(batch: Tensor) -> Tensor:
    mean = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
    spread = torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    return ((batch + 1) / 2 - mean) / spread
