"""Makes one laboratory's picture look like another's: stain, lamp, lens, camera, and what its software does."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

import camera_texture

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
    coloured_lamp: float = 0.0
    """Share of pictures whose background is yellow, green or grey, as without a white balance."""
    faded: float = 0.0
    """Share of pictures whose contrast is another one altogether."""
    texture: float = 0.0
    """Share of pictures with each of the textures that other cameras and their software leave on smooth cytoplasm."""
    wiped: float = 0.0
    """Share of pictures with empty glass around the cell in the middle, as where red cells were lysed."""


class Laboratory:
    """Draws a fresh look for every picture from one random generator."""

    def __init__(self, rng: np.random.Generator, strength: Strength) -> None:
        self._rng = rng
        self._strength = strength
        # Normal deviates are the dearest part of noise: draw them once, cut a new window for every picture.
        self._grain = rng.standard_normal(1 << 20).astype(np.float32)

    def restain(self, picture: Picture) -> Picture:
        """A uint8 RGB picture (height, width, 3) with another stain, lamp, lens and camera."""
        return self._photographed(self._stained_and_lit(picture))

    @staticmethod
    def defocus(picture: Picture, sigma_px: float) -> Picture:
        """The picture blurred by a Gaussian of `sigma_px` pixels."""
        if sigma_px < 0.2:
            return picture
        return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma_px), dtype=np.uint8)

    def _stained_and_lit(self, picture: Picture) -> Picture:
        if self._happens(self._strength.wiped):
            picture = self._wipe_around(picture)
        if self._happens(0.6):
            picture = self._mix_stains(picture)
        if self._happens(0.7):
            picture = _clipped(
                np.asarray(cv2.transform(picture.astype(np.float32), self._hue_and_saturation()), dtype=np.float32)
            )
        if self._happens(0.9):
            picture = self._relight(picture)
        if self._happens(self._strength.coloured_lamp):
            picture = self._colour_lamp(picture)
        if self._happens(self._strength.faded):
            picture = self._fade(picture)
        if self._happens(0.25):
            picture = self._shade(picture)
        return picture

    def _photographed(self, picture: Picture) -> Picture:
        rng, strength = self._rng, self._strength
        if self._happens(strength.texture):
            picture = camera_texture.few_pixels(picture, rng)
        elif self._happens(strength.texture / 2):
            picture = camera_texture.denoised(picture)
        if self._happens(strength.texture):
            picture = camera_texture.grained(picture, self._grain, rng)
        if self._happens(strength.texture):
            picture = camera_texture.with_halos(picture, rng)
        if self._happens(0.5):
            picture = self.defocus(picture, float(rng.uniform(0.0, strength.blur_px)))
        elif self._happens(0.2):
            picture = camera_texture.sharpened(picture, 1.2, 0.6)
        if self._happens(0.5):
            picture = self._add_noise(picture, float(rng.uniform(0.0, strength.noise)))
        if self._happens(0.3):
            picture = camera_texture.compressed(picture, int(rng.integers(30, 95)))
        return picture

    def _happens(self, share: float) -> bool:
        return bool(self._rng.random() < share)

    def _wipe_around(self, picture: Picture) -> Picture:
        rng = self._rng
        height, width = picture.shape[:2]
        across = np.arange(width, dtype=np.float32) - (width - 1) / 2
        down = np.arange(height, dtype=np.float32)[:, None] - (height - 1) / 2
        radius = rng.uniform(0.33, 0.47) * min(height, width)
        wiped = np.clip((np.hypot(across, down) - radius) / 6.0, 0.0, 1.0)[..., None].astype(np.float32)
        glass = np.percentile(picture[::4, ::4].reshape(-1, 3), rng.uniform(70, 95), axis=0).astype(np.float32)
        return _clipped(picture * (1.0 - wiped) + glass * wiped)

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
        table = np.empty((256, 3), dtype=np.float32)
        for channel in range(3):
            gain = brightness * np.exp(rng.normal(0.0, strength.gain))
            level = (_LEVELS / 255.0) ** (gamma * np.exp(rng.normal(0.0, 0.06)))
            level = (level - 0.7) * contrast + 0.7
            table[:, channel] = level * gain * 255.0
        return _by_table(picture, table)

    def _colour_lamp(self, picture: Picture) -> Picture:
        # A colour is missing light: what absorbs of a yellow lamp's blue is all but black in it anyway.
        rng = self._rng
        light = np.exp(-np.abs(rng.normal(0.0, 0.35, 3)))
        light /= light.max() ** rng.uniform(0.5, 1.0)
        return _by_table(picture, _LEVELS[:, None] * light)

    def _fade(self, picture: Picture) -> Picture:
        rng = self._rng
        contrast, kept = np.exp(rng.normal(-0.1, 0.3)), rng.uniform(130.0, 235.0)
        return _by_table(picture, np.repeat(((_LEVELS - kept) * contrast + kept)[:, None], 3, axis=1))

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
        grain = camera_texture.window_of(self._grain, picture.shape, self._rng)
        if self._happens(0.4):  # compressed or demosaiced cameras have coarse grain
            grain = cv2.GaussianBlur(grain, (0, 0), 0.8) * 2.0
        return _clipped(picture.astype(np.float32) + sigma * grain)


def _clipped(picture: NDArray[np.float32]) -> Picture:
    """Grey levels as a camera gives them: rounded, 0 to 255."""
    return np.asarray(np.clip(picture + 0.5, 0, 255), dtype=np.uint8)


def _by_table(picture: Picture, levels: NDArray[np.floating]) -> Picture:
    """The picture with other grey levels, given per old level and channel, shape (256, 3)."""
    table = np.clip(levels + 0.5, 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(picture, table[:, None, :]), dtype=np.uint8)
