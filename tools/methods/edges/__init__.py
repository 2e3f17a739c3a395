"""Ways to draw edges: one file and one line each."""

NAMES = ("sobel", "canny", "laplacian_of_gaussian", "zero_crossings")
