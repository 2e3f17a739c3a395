"""Ways to turn a cell into numbers: one file and one line each."""

NAMES = (
    "hog",
    "sift",
    "sift_words",
    "surf",
    "haar_like",
    "gabor_bank",
    "local_binary_patterns",
    "nucleus",
    "measured",
)
