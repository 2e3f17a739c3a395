"""Keeps a finished training's weights in half precision, for others to start from.

models/recipes/keep_weights.py RUNS/classifier/last.pt models/recipes/classifier.f16.npz
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from starting_weights import keep_half


def main() -> None:
    """Reads the checkpoint, writes the weights."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    checkpoint, out = (Path(name) for name in sys.argv[1:])
    keep_half(torch.load(checkpoint, map_location="cpu", weights_only=True), out)


if __name__ == "__main__":
    main()
