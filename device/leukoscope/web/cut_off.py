"""What a browser is answered whose request takes longer than a page that is being stopped may wait."""

import asyncio
import logging

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leukoscope.web.words import language_of, said_in

_TEXT = "The page is being stopped; what you named is kept. Load it again in a minute and look at what was done."
_log = logging.getLogger("leukoscope.web")


class CutOff:
    """Turns the cancellation of a request into one sentence for the browser, and one line in the log."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI asks; the server cancels what still runs when its time to stop has passed."""
        begun = False

        async def send_noting(event: Message) -> None:
            nonlocal begun
            begun = True
            await send(event)

        try:
            await self._app(scope, receive, send_noting)
        except asyncio.CancelledError:
            if scope["type"] != "http":
                raise
            _log.warning("%s was cut off: the page is being stopped", scope["path"])
            if not begun:
                text = said_in(language_of(Request(scope)), _TEXT)
                await PlainTextResponse(text, 503, {"cache-control": "no-store"})(scope, receive, send)
