"""How the page answers on the network."""

import socket

from leukoscope.web.server import listening
from leukoscope.web_settings import WebSettings


def test_no_answer_waits_for_the_browser_to_acknowledge_its_head() -> None:
    with listening(WebSettings(port=0)) as door, socket.create_connection(door.getsockname()):
        accepted, _ = door.accept()
        with accepted:
            # asyncio switches Nagle's algorithm off for these, and for no others.
            assert accepted.proto == socket.IPPROTO_TCP
