"""The folder through which the counting process and the page in the browser meet: what is live, never on the disk."""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

STATE, PICTURE, DOOR = "state.json", "field.jpg", "bench.sock"
"""What the bench does, its newest field, and the socket that takes commands and requests for pictures."""
MOST_BYTES = 8192
"""Of what is sent to the socket."""


def page_folder(storage: Path, set_to: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """Where it is: as the settings say, or else in systemd's RuntimeDirectory (memory), or else beside the results.

    Args:
        storage: the folder of results, which a computer on a desk has on a disk that bears it.
        set_to: `web.live_folder`.
        environ: of a service with a RuntimeDirectory.
    """
    if set_to is not None:
        return set_to
    runtime = environ.get("RUNTIME_DIRECTORY", "").partition(":")[0]
    return (Path(runtime) if runtime else storage) / "live"


@contextmanager
def door_address(folder: Path) -> Iterator[str]:
    """The address of the socket in a folder, however long the folder's name is: addresses end at 107 characters.

    Raises:
        OSError: there is no such folder.
    """
    handle = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{handle}/{DOOR}"
    finally:
        os.close(handle)


def datagram_socket() -> socket.socket:
    """A local socket that never waits.

    Raises:
        OSError: this system has none.
    """
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.setblocking(False)
    return made
