"""Stands in for cv2.VideoCapture, with a device's habits and faults."""

import cv2
import numpy as np


class FakeVideoCapture:
    """A webcam that knows some sizes and may fail in one way."""

    def __init__(self, device=0, *, sizes=((640, 480),), opened=True, manual=True, fault="none"):
        self.device, self.sizes, self.manual, self.fault = device, sizes, manual, fault
        self.opened, self.released = opened, 0
        self.held = 1
        self.shot = 0
        self.properties = {cv2.CAP_PROP_FRAME_WIDTH: 0.0, cv2.CAP_PROP_FRAME_HEIGHT: 0.0}
        self._choose()

    def _choose(self):
        width, height = (self.properties[p] for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        self.size = min(self.sizes, key=lambda size: abs(size[0] - width) + abs(size[1] - height))

    def isOpened(self):
        return self.opened

    def set(self, propId, value):  # noqa: N803
        if propId in (cv2.CAP_PROP_AUTO_EXPOSURE, cv2.CAP_PROP_EXPOSURE) and not self.manual:
            return False
        self.properties[propId] = float(value)
        self._choose()
        return True

    def get(self, propId):  # noqa: N803
        size = {cv2.CAP_PROP_FRAME_WIDTH: self.size[0], cv2.CAP_PROP_FRAME_HEIGHT: self.size[1]}
        return float(size.get(propId, self.properties.get(propId, 0.0)))

    def grab(self):
        self.shot += 1
        return self.fault == "none"

    def retrieve(self, image=None, flag=0):
        """As cv2's: the frame grabbed last, blue first."""
        width, height = self.size
        frame = np.zeros((height, width, 3), np.uint8)
        frame[...] = (10, 20, 200)
        frame[0, 0] = self.shot
        return True, frame

    def read(self, image=None):
        if not self.opened or self.fault == "silent":
            return False, None
        self.grab()
        if self.fault == "resized":
            return True, np.zeros((100, 100, 3), np.uint8)
        return self.retrieve()

    def release(self):
        self.opened = False
        self.released += 1
