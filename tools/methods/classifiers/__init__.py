"""Ways to name a cell from its features: one file and one line each."""

NAMES = (
    "support_vectors",
    "neural_network",
    "nearest_neighbours",
    "logistic_regression",
    "decision_tree",
    "random_forest",
    "fuzzy_rules",
)
