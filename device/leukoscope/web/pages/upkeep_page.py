"""The administrator's page of a device: doctor, bundles, file for support, and settings as they are in force."""

from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from leukoscope.sentence import Sentence
from leukoscope.web.accounts import Role
from leukoscope.web.forms import form_of
from leukoscope.web.page_server import Site, back_to, error_words, fragment, page, person, site_of
from leukoscope.web.pages.bench_page import restarted
from leukoscope.web.reports import GoneError
from leukoscope.web.upkeep import SUPPORT_FILE, Upkeep, UpkeepError
from leukoscope.web.words import language_of, said_in


def _upkeep(request: Request) -> Upkeep:
    person(request, Role.ADMINISTRATOR)
    found = site_of(request).upkeep
    if found is None:
        raise GoneError("a device is looked after on its own page", "open the page of the device")
    return found


def upkeep(request: Request) -> Response:
    """The whole page."""
    return _page(request, _upkeep(request))


def _page(request: Request, found: Upkeep, message: str = "", status: int = 200) -> Response:
    return page(
        request, "upkeep.html", status, message=message, bundles=found.bundles(), **_shown(site_of(request), found)
    )


def _shown(site: Site, found: Upkeep) -> dict[str, Any]:
    return {"check": found.check, "support": found.support, "held": _held(site)}


def _held(site: Site) -> tuple[bool | None, str]:
    """Whether the bench that holds camera, displays and controls is well, and its fault; None where none runs."""
    link = site.bench
    if link is None or not link.watch():
        return None, ""
    state = link.state()
    fault = None if state is None else state.screens.get("Fault")
    return (True, "") if fault is None else (False, Sentence("{part}: {happened}. {todo}", **fault))


def tasks(request: Request) -> Response:
    """How far doctor and support file are."""
    found = _upkeep(request)
    shown = fragment(request, "upkeep_tasks.html", **_shown(site_of(request), found))
    # By 286 htmx asks no more.
    return HTMLResponse(shown, 200 if found.check.running or found.support.running else 286)


def settings(request: Request) -> Response:
    """The table of settings; for a browser without scripts a page of its own."""
    found = _upkeep(request)
    try:
        values, message = found.settings(), ""
    except UpkeepError as error:
        values, message = [], error_words(request, error)
    if "hx-request" in request.headers:
        return HTMLResponse(fragment(request, "settings_table.html", settings=values, message=message))
    return page(request, "settings.html", settings=values, message=message)


def support_file(request: Request) -> Response:
    """The packed file."""
    content = _upkeep(request).support_file()
    if content is None:
        raise GoneError("no file for support was packed since the page started", "pack one")
    headers = {"content-disposition": f'attachment; filename="{SUPPORT_FILE}"'}
    return Response(content, media_type="application/gzip", headers=headers)


async def change(request: Request) -> Response:
    """Ask the doctor, pack a file for support, or put a bundle in force."""
    return await (await form_of(request)).then(_change, request)


def _change(request: Request, form: dict[str, str]) -> Response:
    found, account = _upkeep(request), person(request, Role.ADMINISTRATOR)
    name = form.get("name", "")
    try:
        match form.get("do"):
            case "check":
                found.ask_doctor()
                return back_to("/upkeep")
            case "support":
                found.pack_support()
                return back_to("/upkeep")
            case "use":
                said = found.put_in_force(name, form.get("version", ""))
            case "back":
                said = found.roll_back(name)
            case _:
                raise UpkeepError("there is no such thing to do here", "load the page again")
    except UpkeepError as error:
        return _page(request, found, error_words(request, error), 409)
    return _page(request, found, f"{said_in(language_of(request), said)} {restarted(request, account)}".strip())


ROUTES = [
    Route("/upkeep", upkeep),
    Route("/upkeep/tasks", tasks),
    Route("/upkeep/settings", settings),
    Route(f"/upkeep/{SUPPORT_FILE}", support_file),
    Route("/upkeep/change", change, methods=["POST"]),
]
