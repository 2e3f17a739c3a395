"""Labelled cells of real laboratories and what a classifier says of each, kept between runs."""
