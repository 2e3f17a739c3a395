"""Ways to call a field leukaemic: one file and one line each."""

NAMES = ("counts_and_fuzzy_inference", "nucleus_tree")
