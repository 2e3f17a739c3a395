"""A convolutional autoencoder; logistic regression names what it keeps (Hinton & Salakhutdinov 2006)."""

from __future__ import annotations

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.nn import functional

from methods.kinds import DeepMethod, DeepNames, Matrix, Pictures, Words
from methods.learning import BATCH, SEED, answers, changed, kb_of, prepared, run_for

SIDE_PX, KEPT = 64, 64


class Autoencoder(nn.Module):  # type: ignore[misc,unused-ignore]
    """64 numbers for a picture, and the picture from 64 numbers."""

    def __init__(self) -> None:
        super().__init__()
        down = [nn.Conv2d(i, o, 3, 2, 1) for i, o in ((3, 24), (24, 48), (48, 64), (64, 64))]
        self.encode = nn.Sequential(
            *(layer for one in down for layer in (one, nn.ReLU())), nn.Flatten(), nn.Linear(1024, KEPT)
        )
        up: list[nn.Module] = [nn.Linear(KEPT, 1024), nn.ReLU(), nn.Unflatten(1, (64, 4, 4))]
        for i, o in ((64, 64), (64, 48), (48, 24), (24, 3)):
            up += [nn.Upsample(scale_factor=2), nn.Conv2d(i, o, 3, 1, 1), nn.ReLU()]
        self.decode = nn.Sequential(*up[:-1])

    def forward(self, pictures: Tensor) -> Tensor:
        """The pictures again."""
        again: Tensor = self.decode(self.encode(pictures))
        return again


def learn(pictures: Pictures, seconds: float) -> Autoencoder:
    """Fit to pictures without labels."""
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    net, inputs = Autoencoder(), prepared(pictures, SIDE_PX)
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3)

    def step(gone: float) -> None:
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * (1 - gone) + 1e-5
        batch = changed(inputs[torch.randint(len(inputs), (BATCH,))])
        loss = functional.mse_loss(net(batch), batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    run_for(seconds, step)
    net.eval()
    return net


def kept_of(net: Autoencoder, pictures: Pictures) -> Matrix:
    """What it keeps of each picture."""
    return answers(net.encode, pictures, SIDE_PX)


def loss_of(net: Autoencoder, pictures: Pictures) -> np.typing.NDArray[np.float32]:
    """How badly it draws each picture again."""
    return answers(lambda batch: (net(batch) - batch).square().mean((1, 2, 3))[:, None], pictures, SIDE_PX)[:, 0]


def fit(pictures: Pictures, labels: Words, seconds: float) -> DeepNames:
    """Learn pictures without labels, then labels from what is kept."""
    net = learn(pictures, seconds)
    head = make_pipeline(StandardScaler(), LogisticRegression(max_iter=200, class_weight="balanced"))
    head.fit(kept_of(net, pictures), labels)
    return DeepNames(lambda some: np.asarray(head.predict(kept_of(net, some))), kb_of(net.encode))


METHOD = DeepMethod("autoencoder, logistic regression", "Hinton & Salakhutdinov 2006", fit)
