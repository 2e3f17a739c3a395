"""Wavelet denoising, small coefficients shrunk (BayesShrink)."""

import numpy as np
from skimage.restoration import denoise_wavelet

from methods.device import Pixels
from methods.kinds import Preprocessing


def apply(pixels: Pixels, um_per_px: float) -> Pixels:
    """Denoise luminance and chroma apart."""
    clean = denoise_wavelet(pixels, channel_axis=-1, convert2ycbcr=True, rescale_sigma=True)
    return np.asarray(np.clip(np.rint(255 * clean), 0, 255), dtype=np.uint8)


METHOD = Preprocessing("wavelet denoising", "Chang, Yu & Vetterli 2000", apply)
