"""Bundles that arrive in the field: signed archives, what is installed, which is in force, and the way back."""
