"""Changes of a picture in front of a segmenter and a classifier: one file and one line each."""

NAMES = (
    "none",
    "gaussian",
    "median",
    "contrast",
    "cropping",
    "hsv",
    "lab",
    "hsi",
    "green",
    "cmyk",
    "laplacian",
    "gabor",
    "equalised",
    "clahe",
    "wavelet",
)
