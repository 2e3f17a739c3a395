"""Stands in for cv2.VideoCapture, with a device's habits and faults."""

import threading
import time

import cv2
import numpy as np

LOCKABLE = (
    cv2.CAP_PROP_AUTO_EXPOSURE,
    cv2.CAP_PROP_EXPOSURE,
    cv2.CAP_PROP_AUTO_WB,
    cv2.CAP_PROP_WB_TEMPERATURE,
)


class FakeVideoCapture:
    """A webcam that knows some sizes and may fail in one way."""

    def __init__(self, device=0, *, sizes=((640, 480),), opened=True, manual=True, holds=None, fault="none"):
        """`holds` are properties that stay at a value whatever they are set to."""
        self.device, self.sizes, self.manual, self.fault = device, sizes, manual, fault
        self.holds = holds or {}
        self.retrieved = 0
        self.opened, self.released = opened, 0
        self.shot = 0
        self.let_go = threading.Event()
        """Ends the wait of a device that blocks."""
        self.properties = {cv2.CAP_PROP_FRAME_WIDTH: 0.0, cv2.CAP_PROP_FRAME_HEIGHT: 0.0}
        self._choose()

    def _choose(self):
        width, height = (self.properties[p] for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        self.size = min(self.sizes, key=lambda size: abs(size[0] - width) + abs(size[1] - height))

    def isOpened(self):
        return self.opened

    def set(self, propId, value):  # noqa: N803
        if propId in LOCKABLE and not self.manual:
            return False
        self.properties[propId] = float(self.holds.get(propId, value))
        self._choose()
        return True

    def get(self, propId):  # noqa: N803
        size = {cv2.CAP_PROP_FRAME_WIDTH: self.size[0], cv2.CAP_PROP_FRAME_HEIGHT: self.size[1]}
        return float(size.get(propId, self.properties.get(propId, 0.0)))

    def grab(self):
        if not self.opened or self.fault == "silent":
            return False
        if self.fault == "blocking":
            self.let_go.wait()
            return False
        # A device waits for its sensor; without a pause the reading thread would take every turn.
        time.sleep(0.001)
        self.shot += 1
        return True

    def retrieve(self, image=None, flag=0):
        """As cv2's: the frame grabbed last, blue first."""
        self.retrieved += 1
        width, height = (100, 100) if self.fault == "resized" else self.size
        frame = np.zeros((height, width, 3), np.uint8)
        frame[...] = (10, 20, 200)
        frame[0, 0] = self.shot % 256, self.shot // 256 % 256, self.shot // 65536
        return True, frame

    def release(self):
        self.opened = False
        self.released += 1
