"""Simulated samples of known mix, and intervals of their differential."""
