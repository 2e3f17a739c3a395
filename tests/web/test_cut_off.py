"""A page that is stopped while a browser waits for something slow."""

import asyncio
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from starlette.types import Message, Receive, Scope, Send

from leukoscope.system.page_folder import DOOR
from leukoscope.web.cut_off import CutOff
from tests.web.conftest import NAME, PIN, Served
from tests.web.test_security import Client


@pytest.fixture
def silent_bench(served: Served) -> Iterator[socket.socket]:
    """A bench that takes what it is sent, and never answers."""
    folder = served.bench.parent / "state" / "live"
    folder.mkdir(exist_ok=True)
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as door:
        door.bind(str(folder / DOOR))
        yield door


def test_a_browser_that_waits_for_the_bench_is_answered_before_the_page_stops(
    served: Served, silent_bench: socket.socket
) -> None:
    client, got = Client(served), list[tuple[int, str]]()
    assert client.begin("/set-up", {"code": served.code, "name": NAME, "secret": PIN}) == 303

    def ask() -> None:
        status, _, text = client.post("/bench/act", {"do": "start", "sample_id": "S-18"})
        got.append((status, text))

    asking = threading.Thread(target=ask)
    asking.start()
    # Something of it has come, so the page waits for the answer now.
    silent_bench.recv(8192)
    time.sleep(0.3)
    assert served.process is not None
    served.process.send_signal(signal.SIGTERM)
    asking.join(20)
    served.process.wait(20)
    ((status, text),) = got
    assert status == 409
    assert "has not answered yet" in text
    assert (served.bench.parent / "web.log").read_text() == ""


def cancelled(begin_first: bool) -> list[Message]:
    """What a browser is sent of a request that is cancelled."""
    sent: list[Message] = []

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        if begin_first:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(60)

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(event: Message) -> None:
        sent.append(event)

    async def run() -> None:
        scope = {"type": "http", "method": "POST", "path": "/x", "headers": [(b"accept-language", b"fr")]}
        task = asyncio.create_task(CutOff(slow)(scope, receive, send))
        await asyncio.sleep(0)
        task.cancel()
        await task

    # Tests in a browser leave a loop running in this thread.
    with ThreadPoolExecutor(1) as other:
        other.submit(asyncio.run, run()).result()
    return sent


def test_what_takes_longer_is_cut_off_with_one_sentence() -> None:
    start, body = cancelled(begin_first=False)
    assert start["status"] == 503
    assert body["body"].decode().startswith("La page est en cours d'arrêt")


def test_an_answer_that_has_begun_is_not_begun_again() -> None:
    assert [one["type"] for one in cancelled(begin_first=True)] == ["http.response.start"]
