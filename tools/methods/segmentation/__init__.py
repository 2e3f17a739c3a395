"""Ways to find white cells, nuclei and red cells: one file and one line each."""

NAMES = (
    "shipped",
    "otsu_rules",
    "kmeans",
    "expectation_maximisation",
    "snake_zack",
    "morphology",
    "counting_blood_cells",
    "red_extraction",
    "equalised_nuclei",
    "circular_hough",
    "hough_watershed",
    "zack_thin",
    "hough_dense",
    "multi_resolution",
    "otsu_borders",
    "histogram_minimum",
    "wavelet_fuzzy",
    "nucleus_chan_vese",
    "masked_watershed",
)
