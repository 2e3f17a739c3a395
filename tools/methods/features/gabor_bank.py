"""A bank of Gabor filters: mean and spread of the answers."""

import cv2
import numpy as np

from methods.kinds import FeatureSet, Matrix, Pictures

WAVELENGTHS_PX = (4.0, 8.0, 16.0)
DIRECTIONS = 4
SIDE_PX = 64


def measure(pictures: Pictures) -> Matrix:
    """Three wavelengths, four directions, three colours, the whole picture and its middle, mean and spread."""
    kernels = [
        cv2.getGaborKernel((2 * int(w) + 1,) * 2, 0.5 * w, np.pi * k / DIRECTIONS, w, 1.0, 0.0)
        for w in WAVELENGTHS_PX
        for k in range(DIRECTIONS)
    ]
    rows = []
    for picture in pictures:
        small = cv2.resize(picture, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        row = []
        for kernel in kernels:
            answer = cv2.filter2D(small, cv2.CV_32F, (kernel - kernel.mean()) / np.abs(kernel).sum())
            for part in (answer, answer[16:48, 16:48]):
                row += [np.abs(part).mean(axis=(0, 1)), part.std(axis=(0, 1))]
        rows.append(np.concatenate(row))
    return np.asarray(rows, dtype=np.float32)


METHOD = FeatureSet("Gabor bank", "Daugman 1985; Manjunath & Ma 1996", lambda unlabelled, networks: measure)
