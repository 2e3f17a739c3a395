"""What the classifying network is shown of a cell: a square window at one scale; importable without torch."""

UM_PER_PX = 0.15
SIDE_PX = 128
