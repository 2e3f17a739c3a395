"""Makes one laboratory's picture look like another's: stain, lamp, camera, focus and compression."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

_LEVELS = np.arange(256, dtype=np.float32)
_DENSITY = -np.log((_LEVELS + 1.0) / 256.0).astype(np.float32)
_GREY_AXIS = np.full(3, 1.0 / np.sqrt(3.0))


@dataclass(frozen=True, slots=True)
class Strength:
    """How far pictures are pushed; `blur_px` and `noise` are the largest sigmas in pixels and grey levels."""

    blur_px: float
    noise: float
    stain: float = 0.12
    hue: float = 0.22
    saturation: tuple[float, float] = (0.5, 1.6)
    gain: float = 0.10
    gamma: float = 0.22


class Laboratory:
    """Draws a fresh look for every picture from one random generator."""

    def __init__(self, rng: np.random.Generator, strength: Strength) -> None:
        self._rng = rng
        self._strength = strength
        # Normal deviates are the dearest part of noise: draw them once, cut a new window for every picture.
        self._grain = rng.standard_normal(1 << 20).astype(np.float32)

    def restain(self, picture: Picture) -> Picture:
        """A uint8 RGB picture (height, width, 3) with another stain, lamp, lens and camera."""
        rng, strength = self._rng, self._strength
        if rng.random() < 0.6:
            picture = self._mix_stains(picture)
        if rng.random() < 0.7:
            picture = _clipped(
                np.asarray(cv2.transform(picture.astype(np.float32), self._hue_and_saturation()), dtype=np.float32)
            )
        if rng.random() < 0.9:
            picture = self._relight(picture)
        if rng.random() < 0.25:
            picture = self._shade(picture)
        if rng.random() < 0.5:
            picture = self.defocus(picture, float(rng.uniform(0.0, strength.blur_px)))
        elif rng.random() < 0.2:
            soft = cv2.GaussianBlur(picture, (0, 0), 1.2)
            picture = np.asarray(cv2.addWeighted(picture, 1.6, soft, -0.6, 0.0), dtype=np.uint8)
        if rng.random() < 0.5:
            picture = self._add_noise(picture, float(rng.uniform(0.0, strength.noise)))
        if rng.random() < 0.3:
            quality = int(rng.integers(30, 95))
            _, packed = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
            picture = np.asarray(cv2.imdecode(packed, cv2.IMREAD_UNCHANGED), dtype=np.uint8)
        return picture

    @staticmethod
    def defocus(picture: Picture, sigma_px: float) -> Picture:
        """The picture blurred by a Gaussian of `sigma_px` pixels."""
        if sigma_px < 0.2:
            return picture
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma_px), dtype=np.uint8)

    def _mix_stains(self, picture: Picture) -> Picture:
        # Stains absorb: in optical density they mix linearly, so a jittered matrix is another batch of dye.
        rng, stain = self._rng, self._strength.stain
        mix = np.eye(3) + rng.normal(0.0, stain * 0.6, (3, 3))
        mix *= np.exp(rng.normal(0.0, stain * 1.5)) * np.exp(rng.normal(0.0, stain, (3, 1)))
        density = cv2.transform(cv2.LUT(picture, _DENSITY), mix.astype(np.float32))
        return _clipped(np.asarray(cv2.exp(-density) * 256.0 - 1.0, dtype=np.float32))

    def _hue_and_saturation(self) -> NDArray[np.float32]:
        rng, strength = self._rng, self._strength
        angle = rng.uniform(-strength.hue, strength.hue)
        kx, ky, kz = _GREY_AXIS
        cross = np.array([[0.0, -kz, ky], [kz, 0.0, -kx], [-ky, kx, 0.0]])
        turn = np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * (cross @ cross)
        grey = np.tile(np.array([[0.299, 0.587, 0.114]]), (3, 1))
        saturation = rng.uniform(*strength.saturation)
        return np.asarray((grey + saturation * (np.eye(3) - grey)) @ turn, dtype=np.float32)

    def _relight(self, picture: Picture) -> Picture:
        rng, strength = self._rng, self._strength
        brightness = np.exp(rng.normal(0.0, 0.13))
        contrast = np.exp(rng.normal(0.0, 0.12))
        gamma = np.exp(rng.normal(0.0, strength.gamma))
        table = np.empty((256, 1, 3), dtype=np.uint8)
        for channel in range(3):
            gain = brightness * np.exp(rng.normal(0.0, strength.gain))
            level = (_LEVELS / 255.0) ** (gamma * np.exp(rng.normal(0.0, 0.06)))
            level = (level - 0.7) * contrast + 0.7
            table[:, 0, channel] = np.clip(level * gain * 255.0 + 0.5, 0, 255)
        return np.asarray(cv2.LUT(picture, table), dtype=np.uint8)

    def _shade(self, picture: Picture) -> Picture:
        rng = self._rng
        height, width = picture.shape[:2]
        across = np.linspace(-1.0, 1.0, width, dtype=np.float32)[None, :]
        down = np.linspace(-1.0, 1.0, height, dtype=np.float32)[:, None]
        slope = rng.normal(0.0, 0.08, 2)
        light = (1.0 + slope[0] * across + slope[1] * down - rng.uniform(0, 0.15) * (across**2 + down**2) / 2)[
            ..., None
        ]
        return _clipped(picture.astype(np.float32) * light.astype(np.float32))

    def _add_noise(self, picture: Picture, sigma: float) -> Picture:
        start = int(self._rng.integers(0, self._grain.size - picture.size))
        grain = self._grain[start : start + picture.size].reshape(picture.shape)
        if self._rng.random() < 0.4:  # compressed or demosaiced cameras have coarse grain
            grain = cv2.GaussianBlur(grain, (0, 0), 0.8) * 2.0
        return _clipped(picture.astype(np.float32) + sigma * grain)


def _clipped(picture: NDArray[np.float32]) -> Picture:
    return np.asarray(np.clip(picture + 0.5, 0, 255), dtype=np.uint8)
