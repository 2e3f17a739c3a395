"""Mixes a fine-tuned network with the one it started from: it keeps what both know (Wortsman et al. 2022, WiSE-FT).

models/recipes/mix_weights.py --before classifier.f16.npz --after RUN/last.pt --share 0.85 --out RUN/mixed.pt
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from torch import nn

from classifier_net import ClassifierNet
from fitting import save
from segmenter_net import SegmenterNet
from starting_weights import fill, start_from


def _before(path: Path, after: dict[str, Any]) -> nn.Module:
    """The network of `after`'s kind with the weights of `path`."""
    if after["kind"] == "segmenter":
        finder = SegmenterNet()
        fill(finder, path)
        return finder
    namer = ClassifierNet(len(after["classes"]))
    start_from(namer, path, after["classes"])
    return namer


def main() -> None:
    """Reads the command line and writes a checkpoint like `--after`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", type=Path, required=True)
    parser.add_argument("--after", type=Path, required=True)
    parser.add_argument("--share", type=float, required=True, help="of the fine-tuned network, 0 to 1")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    checkpoint = torch.load(options.after, map_location="cpu", weights_only=True)
    before = _before(options.before, checkpoint).state_dict()
    mixed = {
        key: torch.lerp(before[key], value, options.share) if value.dtype.is_floating_point else value
        for key, value in checkpoint["weights"].items()
    }
    save(options.out, checkpoint | {"weights": mixed})


if __name__ == "__main__":
    main()
