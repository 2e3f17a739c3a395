"""Gets the bytes of an archive: from a file, a mounted stick included, or from a web server."""

import stat
import threading
from pathlib import Path
from urllib.parse import urlsplit

from leukoscope.bundles.archive import MAX_BYTES
from leukoscope.errors import BundleError, reason_of

SILENCE_S = 30.0
"""How long a server may say nothing."""
FETCH_S = 600.0
"""How long a whole archive may take."""
_PIECE = 2**16


def is_url(source: str) -> bool:
    """Whether this is fetched from a server."""
    return "://" in source


def fetch(source: str) -> bytes:
    """The bytes of an archive; at most one byte more than the largest that is read.

    Args:
        source: a path, or an address with http or https. What comes over http is no less safe: it is the signature
            that is trusted.

    Raises:
        BundleError: it cannot be read, or is larger than any archive.
    """
    return _download(source) if is_url(source) else _read(Path(source))


def _read(path: Path) -> bytes:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise BundleError(f"{path} is no file", "give the archive itself")
        with path.open("rb") as file:
            return _small_enough(file.read(MAX_BYTES + 1), str(path))
    except (OSError, ValueError) as error:
        if isinstance(error, BundleError):
            raise
        raise BundleError(
            f"{path} cannot be read ({reason_of(error)})", "is the stick mounted, the path right?"
        ) from error


def _download(address: str) -> bytes:
    if urlsplit(address).scheme not in ("http", "https"):
        raise BundleError(
            f"{address}: expected a file, or an address beginning with https:// or http://",
            "give the path of an archive, or its whole address",
        )
    arrived: list[bytes | BundleError] = []
    given_up = threading.Event()

    def download() -> None:
        try:
            arrived.append(_content_at(address, given_up))
        except BundleError as error:
            arrived.append(error)

    # A server that sends a byte now and then is never silent, neither in its headers nor after them.
    thread = threading.Thread(target=download, name="download", daemon=True)
    thread.start()
    thread.join(FETCH_S)
    given_up.set()
    if not arrived:
        raise BundleError(f"{address} did not arrive within {FETCH_S:g} s", "copy it to a stick instead")
    if isinstance(arrived[0], BundleError):
        raise arrived[0]
    return arrived[0]


def _content_at(address: str, given_up: threading.Event) -> bytes:
    # They bring half of the network with them, which no other command needs.
    import urllib.error
    import urllib.request
    from http.client import HTTPException

    content = bytearray()
    try:
        with urllib.request.urlopen(address, timeout=SILENCE_S) as answer:  # noqa: S310 (its scheme was checked above)
            # As it comes: a read of a whole piece would wait for all of it.
            while not given_up.is_set() and (piece := answer.read1(_PIECE)):
                content += piece
                if len(content) > MAX_BYTES:
                    break
    except (OSError, ValueError, HTTPException) as error:
        if isinstance(error, urllib.error.HTTPError):
            # It carries the answer, whose connection is open.
            error.close()
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise BundleError(f"{address} cannot be fetched ({reason})", "check the address and the network") from error
    return _small_enough(bytes(content), address)


def _small_enough(content: bytes, origin: str) -> bytes:
    if len(content) > MAX_BYTES:
        raise BundleError(f"{origin} is larger than {MAX_BYTES // 2**20} MiB, no bundle is", "check what it is")
    return content
