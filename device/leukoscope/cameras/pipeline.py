"""A GStreamer pipeline in a process of its own that writes raw pictures into a pipe."""

import os
import re
import shlex
import signal
import subprocess
import threading
from collections import deque
from contextlib import suppress
from typing import IO

from leukoscope.errors import CameraError, CameraUnavailable

PROGRAM = "gst-launch-1.0"
INSTALL = "apt install gstreamer1.0-tools gstreamer1.0-plugins-base"
"""What puts it there."""
_END_S = 3.0
"""Seconds the pipeline has to end by itself, which lets NVIDIA's camera service let go of the sensor."""
_LINES = 40


class Pipeline:
    """A running gst-launch-1.0; once it ends, by itself or by `end`, `fill` says why no more pictures come."""

    def __init__(self, elements: str) -> None:
        """Start it.

        Args:
            elements: up to the sink, as gst-launch-1.0 takes them; no shell sees them.

        Raises:
            CameraUnavailable: gst-launch-1.0 is not installed, or the elements are not quoted properly.
        """
        try:
            words = shlex.split(elements)
        except ValueError as problem:
            raise CameraUnavailable(
                f"no pipeline can be made of {elements!r} ({problem})", "check its quotes"
            ) from problem
        reading, writing = os.pipe()
        try:
            self._process = subprocess.Popen(
                [PROGRAM, "--quiet", *words, "!", "fdsink", f"fd={writing}", "sync=false"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=(writing,),
                # Ctrl-C in a terminal is for the instrument, which ends the pipeline itself.
                start_new_session=True,
                text=True,
                errors="replace",
            )
        except OSError as problem:
            os.close(reading)
            raise CameraUnavailable(
                f"{PROGRAM} is not there ({problem.strerror})", f"check that GStreamer is installed, {INSTALL}"
            ) from problem
        finally:
            os.close(writing)
        self._pictures = os.fdopen(reading, "rb", buffering=0)
        self._lines: deque[str] = deque(maxlen=_LINES)
        self._listener = threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True)
        self._listener.start()
        self._ending = threading.Lock()

    def fill(self, buffer: bytearray) -> bool:
        """Read the next picture into the buffer, whose size is that of one picture; blocks until it is there.

        Raises:
            CameraError: the pipeline ended; with what it said.
        """
        view, filled = memoryview(buffer), 0
        while filled < len(buffer):
            count = self._pictures.readinto(view[filled:])
            if not count:
                raise CameraError(
                    f"no picture from the pipeline, it ended ({self._reason()})", "check cable and `pipeline`"
                )
            filled += count
        return True

    def end(self) -> None:
        """End the process, at first by SIGINT; safe to call twice and from any thread."""
        with self._ending:
            if self._process.poll() is None:
                self._process.send_signal(signal.SIGINT)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(_END_S)
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            self._listener.join()

    def close(self) -> None:
        """End the process and give the pipe back; no thread may still be reading it."""
        self.end()
        self._pictures.close()

    def _listen(self, lines: IO[str]) -> None:
        with lines:
            self._lines.extend(line.strip() for line in lines)

    def _reason(self) -> str:
        """What gst-launch-1.0 said: its first error, and the detail under it."""
        self._process.wait()
        self._listener.join()
        lines = list(self._lines)
        for index, line in enumerate(lines):
            found = re.match(r"(?:ERROR: from element [^:]*: |WARNING: erroneous pipeline: |ERROR: )(.*)", line)
            if found:
                detail = [more for more in lines[index + 1 : index + 4] if not more.startswith(("Additional", "../"))]
                return " ".join([found[1], *detail[:1]])
        return lines[-1] if lines else f"exit status {self._process.returncode}"
