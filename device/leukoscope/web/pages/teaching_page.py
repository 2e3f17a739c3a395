"""Teach the bench: named cells, a fit with its progress, before and after, in force and back by one button each."""

from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from leukoscope.errors import AdaptingError, BundleError
from leukoscope.web.accounts import Role
from leukoscope.web.forms import form_of
from leukoscope.web.page_server import back_to, error_words, fragment, page, person, site_of
from leukoscope.web.pages.bench_page import restarted
from leukoscope.web.reports import GoneError
from leukoscope.web.teaching import Teaching
from leukoscope.web.words import language_of, said_in


def _teaching(request: Request) -> Teaching:
    found = site_of(request).teaching
    if found is None:
        raise GoneError("classifiers are fitted at a device", "open the page of the device")
    return found


def teaching(request: Request) -> Response:
    """The whole page."""
    person(request, Role.REVIEWER)
    return _page(request)


def _page(request: Request, message: str = "", status: int = 200) -> Response:
    found = _teaching(request)
    named = found.named()
    sources = sorted({one.source for one in named}, key=lambda source: -_cells(named, source))
    try:
        in_force = found.in_force()
    except BundleError as error:
        in_force, message = ("", False), message or error_words(request, error)
    return page(
        request, "teaching.html", status, message=message, named=named, sources=sources,
        totals={source: _cells(named, source) for source in sources}, in_force=in_force, **_shown(found),
    )  # fmt: skip


def _cells(named: Any, source: str) -> int:
    return sum(one.cells for one in named if one.source == source)


def _shown(found: Teaching) -> dict[str, Any]:
    return {"progress": found.progress, "waits": found.waits}


def progress(request: Request) -> Response:
    """How far the fit is."""
    person(request, Role.REVIEWER)
    found = _teaching(request)
    # By 286 htmx asks no more.
    return HTMLResponse(
        fragment(request, "teaching_progress.html", **_shown(found)), 200 if found.progress.running else 286
    )


def verification(request: Request) -> Response:
    """How this bench names its cells, by those that people checked; for a browser without scripts a page of its own."""
    person(request, Role.REVIEWER)
    try:
        found, message = _teaching(request).verification(), ""
    except AdaptingError as error:
        found, message = None, error_words(request, error)
    if "hx-request" in request.headers:
        return HTMLResponse(fragment(request, "verification.html", found=found, message=message))
    return page(request, "verification_page.html", found=found, message=message)


async def change(request: Request) -> Response:
    """Fit, put in force, or go back."""
    return await (await form_of(request)).then(_change, request)


def _change(request: Request, form: dict[str, str]) -> Response:
    account = person(request, Role.REVIEWER)
    found = _teaching(request)
    try:
        match form.get("do"):
            case "fit":
                source = form.get("source", "")
                if source not in {one.source for one in found.named()}:
                    raise AdaptingError("no cell of such reports was named", "name cells first")
                found.fit(source)
                return back_to("/teaching")
            case "use":
                said = found.put_in_force()
            case "back":
                said = found.roll_back()
            case _:
                raise AdaptingError("there is no such thing to do here", "load the page again")
    except AdaptingError as error:
        return _page(request, error_words(request, error), 409)
    return _page(request, f"{said_in(language_of(request), said)} {restarted(request, account)}".strip())


ROUTES = [
    Route("/teaching", teaching),
    Route("/teaching/progress", progress),
    Route("/teaching/verification", verification),
    Route("/teaching/change", change, methods=["POST"]),
]
