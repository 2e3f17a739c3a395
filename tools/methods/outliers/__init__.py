"""Ways to say that a cell is of no known class: one file and one line each."""

NAMES = (
    "temperature",
    "margin",
    "entropy",
    "energy",
    "mahalanobis",
    "nearest_known",
    "autoencoder_loss",
    "autoencoder_distance",
    "imagenet_distance",
)
