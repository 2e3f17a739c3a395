"""The page's server: routes, errors as sentences, and nothing that leaves the machine."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from leukoscope.errors import LeukoscopeError
from leukoscope.web.accounts import SignInRefused
from leukoscope.web.cut_off import CutOff
from leukoscope.web.guard import Guard
from leukoscope.web.page_server import STATIC, Site, error_words, page
from leukoscope.web.pages import administration, signing_in
from leukoscope.web.pages import bench_page as bench
from leukoscope.web.pages import cell_page as cell
from leukoscope.web.pages import fields_page as fields
from leukoscope.web.pages import review_page as review
from leukoscope.web.pages import teaching_page as teaching
from leukoscope.web.pages import trend_page as trend
from leukoscope.web.pages import upkeep_page as upkeep
from leukoscope.web.pages import worklist_page as worklist
from leukoscope.web.reports import GoneError
from leukoscope.web.words import language_of, said_in

_THREADS = 4
"""Each holds a connection; more would not be faster on a board."""
_log = logging.getLogger("leukoscope.web")


def app_of(site: Site) -> Starlette:
    """The ASGI application of a site."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = _THREADS
        yield

    routes = [
        Route("/", _first),
        *worklist.ROUTES,
        *review.ROUTES,
        *cell.ROUTES,
        *fields.ROUTES,
        *signing_in.ROUTES,
        *administration.ROUTES,
        *([] if site.bench is None else bench.ROUTES),
        *([] if site.teaching is None else teaching.ROUTES),
        *([] if site.upkeep is None else upkeep.ROUTES),
        *([] if site.run_history is None else trend.ROUTES),
        Mount("/static", StaticFiles(directory=STATIC)),
    ]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(CutOff), Middleware(Guard, sessions=site.sessions)],
        exception_handlers={LeukoscopeError: _error_page, HTTPException: _refused, 500: _failed},
        lifespan=lifespan,
    )
    app.state.site = site
    return app


def _first(request: Request) -> Response:
    return RedirectResponse("/worklist", 303)


def _error_page(request: Request, error: Exception) -> Response:
    """What the person can understand and act on: one sentence."""
    status = 404 if isinstance(error, GoneError) else 403 if isinstance(error, SignInRefused) else 409
    # The disk, the database or a broker; it is what may pass.
    if isinstance(error, OSError):
        _log.warning("%s", error)
        status = 503
    text = error_words(request, error) if isinstance(error, LeukoscopeError) else str(error)
    return _sentence(request, text, status)


def _refused(request: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 500)
    detail = "There is no such page." if status == 404 else getattr(error, "detail", str(error))
    return _sentence(request, said_in(language_of(request), detail), status)


def _failed(request: Request, error: Exception) -> Response:
    _log.error("%s failed", request.url.path, exc_info=error)
    text = "The page has a fault; it is in the log. What you named is kept."
    return _sentence(request, said_in(language_of(request), text), 500)


def _sentence(request: Request, text: str, status: int) -> Response:
    if "text/html" not in request.headers.get("accept", "") or "hx-request" in request.headers:
        return JSONResponse({"error": text}, status)
    if not hasattr(request.state, "account"):
        request.state.account = None
    return page(request, "error.html", status, text=text)
