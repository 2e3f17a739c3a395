"""The instrument's own trend: what each run said about lamp, focus, scale and speed, and whether that has changed."""
