"""Scores of the networks and of plain baselines on labelled pictures."""
