"""The same small network, taught with cells that a GAN makes for the rare classes (Goodfellow et al. 2014)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from methods.deep.small_cnn import SIDE_PX, network
from methods.kinds import DeepMethod, DeepNames, Pictures, Words
from methods.learning import BATCH, SEED, answers, kb_of, learn_names, prepared, run_for

NOISE = 64


class Maker(nn.Module):  # type: ignore[misc,unused-ignore]
    """A picture of 32 pixels from noise and a class."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.of_class = nn.Embedding(classes, NOISE)
        layers: list[nn.Module] = [nn.Linear(2 * NOISE, 128 * 16), nn.Unflatten(1, (128, 4, 4))]
        for inputs, outputs in ((128, 96), (96, 64), (64, 32)):
            layers += [
                nn.BatchNorm2d(inputs),
                nn.ReLU(),
                nn.Upsample(scale_factor=2),
                nn.Conv2d(inputs, outputs, 3, 1, 1),
            ]
        self.draw = nn.Sequential(*layers, nn.BatchNorm2d(32), nn.ReLU(), nn.Conv2d(32, 3, 3, 1, 1), nn.Tanh())

    def forward(self, noise: Tensor, wanted: Tensor) -> Tensor:
        """Pictures (cells, 3, 32, 32) of the wanted classes."""
        drawn: Tensor = self.draw(torch.cat([noise, self.of_class(wanted)], dim=1))
        return drawn


class Critic(nn.Module):  # type: ignore[misc,unused-ignore]
    """Whether a picture of a class is real."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in ((3, 32), (32, 64), (64, 128)):
            layers += [nn.utils.spectral_norm(nn.Conv2d(inputs, outputs, 4, 2, 1)), nn.LeakyReLU(0.2)]
        self.look = nn.Sequential(*layers, nn.Flatten())
        self.real = nn.Linear(128 * 16, 1)
        self.of_class = nn.Embedding(classes, 128 * 16)

    def forward(self, pictures: Tensor, claimed: Tensor) -> Tensor:
        """Above 0 for real (projection of the class: Miyato & Koyama 2018)."""
        seen = self.look(pictures)
        score: Tensor = self.real(seen)[:, 0] + (seen * self.of_class(claimed)).sum(1) / seen.shape[1] ** 0.5
        return score


def made_for_rare(inputs: Tensor, labels: Words, seconds: float) -> tuple[Tensor, Words]:
    """Cells that bring each rare class to the median class's number."""
    torch.manual_seed(SEED)
    classes, targets = np.unique(labels, return_inverse=True)
    counts = np.bincount(targets)
    truth, weights = torch.from_numpy(targets), torch.from_numpy(1 / counts[targets])
    maker, critic = Maker(len(classes)), Critic(len(classes))
    making = torch.optim.Adam(maker.parameters(), lr=2e-4, betas=(0.5, 0.99))
    judging = torch.optim.Adam(critic.parameters(), lr=4e-4, betas=(0.5, 0.99))

    def step(gone: float) -> None:
        drawn = torch.multinomial(weights, BATCH, replacement=True)
        real, wanted = inputs[drawn], truth[drawn]
        fake = maker(torch.randn(BATCH, NOISE), wanted)
        loss = (
            functional.relu(1 - critic(real, wanted)).mean() + functional.relu(1 + critic(fake.detach(), wanted)).mean()
        )
        judging.zero_grad()
        loss.backward()
        judging.step()
        making.zero_grad()
        (-critic(fake, wanted).mean()).backward()
        making.step()

    run_for(seconds, step)
    maker.eval()
    lacking = np.maximum(0, int(np.median(counts)) - counts)
    wanted = np.repeat(np.arange(len(classes)), lacking)
    with torch.no_grad():
        fakes = maker(torch.randn(len(wanted), NOISE), torch.from_numpy(wanted))
    return fakes, classes[wanted]


def fit(pictures: Pictures, labels: Words, seconds: float) -> DeepNames:
    """The GAN has all the time, and so has the network that is taught with its cells."""
    torch.set_num_threads(1)
    inputs = prepared(pictures, SIDE_PX)
    fakes, names = made_for_rare(inputs, labels, seconds)
    torch.manual_seed(SEED)
    fresh = network(len(np.unique(labels)))
    net, classes = learn_names(fresh, torch.cat([inputs, fakes]), np.concatenate([labels, names]), seconds)
    return DeepNames(lambda some: classes[answers(net, some, SIDE_PX).argmax(axis=1)], kb_of(net))


METHOD = DeepMethod("small CNN, 32 px, taught with a GAN's cells", "Goodfellow et al. 2014", fit)
