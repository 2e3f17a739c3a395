"""What the light path does to a picture, and how to undo it or refuse it."""
