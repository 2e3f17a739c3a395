"""What the files are called that stand beside the networks of a bundle."""

GOLDEN, HEAD, KNOWN, VALIDATION = "golden.npz", "head.npz", "known.npz", "validation.json"
