"""Between the network and the pages: who is it, was the request made by our own page, and what a browser may do."""

import logging
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from leukoscope.errors import LeukoscopeError
from leukoscope.web.accounts import Account
from leukoscope.web.sessions import COOKIE, Sessions
from leukoscope.web.words import error_in, language_of, said_in

_SAFE = ("GET", "HEAD", "OPTIONS")
_STATIC = "/static/"
"""The same for everyone: no person is looked up."""
_OPEN = ("/sign-in", "/set-up", "/language")
MOST_BODY_BYTES = 1_000_000
HEADERS: Mapping[str, str] = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_log = logging.getLogger("leukoscope.web")


class Guard:
    """Judges every request before any page does, and puts the headers on every answer.

    A request that changes something must come from a page of ours; all but static files, signing in and the language
    need a session.
    """

    def __init__(self, app: ASGIApp, sessions: Sessions) -> None:
        self._app, self._sessions = app, sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As ASGI asks."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(event: Message) -> None:
            if event["type"] == "http.response.start":
                headers = MutableHeaders(scope=event)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if not scope["path"].startswith(_STATIC):
                    headers.setdefault("cache-control", "no-store")
            await send(event)

        refusal = await self._refusal(scope)
        await (refusal or self._app)(scope, receive, send_with_headers)

    async def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if scope["method"] not in _SAFE and not is_own(headers):
            return _refused(scope, "This request did not come from a page of this device.", 403)
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MOST_BODY_BYTES or "transfer-encoding" in headers:
            return _refused(scope, "This request is too large.", 413)
        if scope["path"].startswith(_STATIC):
            return None
        try:
            account = await self._look_up(scope)
        except LeukoscopeError as error:
            _log.warning("%s", error)
            return PlainTextResponse(error_in(language_of(Request(scope)), error), 503)
        return None if account is not None or scope["path"].startswith(_OPEN) else _sign_in_first(scope, headers)

    async def _look_up(self, scope: Scope) -> Account | None:
        """Whose session it is; in a thread, for a database that does not answer must not hold up all others."""
        token = Request(scope).cookies.get(COOKIE, "")
        account = await run_in_threadpool(self._sessions.account_of, token) if token else None
        scope.setdefault("state", {}).update(account=account, token=token)
        return account


def _sign_in_first(scope: Scope, headers: Headers) -> Response:
    if scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
        return RedirectResponse("/sign-in", 303)
    return _refused(scope, "Sign in first.", 401)


def _refused(scope: Scope, text: str, status: int) -> Response:
    return PlainTextResponse(said_in(language_of(Request(scope)), text), status)


def is_own(headers: Headers) -> bool:
    """Whether a request that changes something was made by a page of ours.

    Browsers say so in Sec-Fetch-Site; those that do not (plain http beyond this machine) say where the page came from
    in Origin. A request that says neither is refused.
    """
    site = headers.get("sec-fetch-site")
    origin = headers.get("origin")
    if site is not None and site != "same-origin":
        return False
    if origin is not None:
        return urlsplit(origin).netloc == headers.get("host", "")
    return site == "same-origin"
