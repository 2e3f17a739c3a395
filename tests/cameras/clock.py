"""A clock that runs only while it is waited for."""


class Clock:
    """Called, it tells the seconds; `pause` lets them pass."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds

    def pause(self, seconds):
        self.seconds += seconds
