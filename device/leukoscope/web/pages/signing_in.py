"""Signing in and out, the first administrator, and the language."""

import hmac

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leukoscope.errors import LeukoscopeError
from leukoscope.web.accounts import AccountError, Role, SignInRefused
from leukoscope.web.forms import form_of
from leukoscope.web.page_server import Site, back_to, error_words, page, site_of
from leukoscope.web.sessions import COOKIE, digest_of
from leukoscope.web.words import COOKIE as LANGUAGE_COOKIE
from leukoscope.web.words import LANGUAGES

_YEAR_S = 365 * 86400


async def sign_in(request: Request) -> Response:
    """The form, and what was filled in."""
    site = site_of(request)
    if not site.accounts.any():
        return back_to("/set-up")
    if request.method == "GET":
        return page(request, "sign_in.html", message="")
    form = await form_of(request)
    return await form.then(_sign_in, request)


def _sign_in(request: Request, form: dict[str, str]) -> Response:
    site = site_of(request)
    try:
        account = site.accounts.check(form.get("name", ""), form.get("secret", ""))
    except SignInRefused as error:
        return page(request, "sign_in.html", 403, message=error_words(request, error))
    return _with_session(request, account.name)


def _with_session(request: Request, name: str) -> Response:
    """A new session; the one that the browser brought ends."""
    site = site_of(request)
    site.sessions.end(digest_of(request.state.token))
    token = site.sessions.begin(name, "" if request.client is None else request.client.host)
    response = back_to("/worklist")
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(site.settings.session_h * 3600),
        httponly=True,
        samesite="strict",
        secure=site.settings.certificate is not None,
    )
    return response


async def set_up(request: Request) -> Response:
    """The first administrator, by the code that the device shows."""
    site = site_of(request)
    if site.accounts.any():
        return back_to("/sign-in")
    if request.method == "GET":
        return page(request, "set_up.html", message="", shown=_shown_at_device(site))
    form = await form_of(request)
    return await form.then(_set_up, request)


def _shown_at_device(site: Site) -> bool:
    """The bench beside this page shows the code, unless it counts; else the code stands where the page was started."""
    return site.bench is not None and site.bench.show_code(site.setup_code)


def _set_up(request: Request, form: dict[str, str]) -> Response:
    site = site_of(request)
    try:
        site.accounts.refuse_code_too_early()
        code = form.get("code", "").replace(" ", "").upper()
        if not hmac.compare_digest(code.encode(), site.setup_code.encode()):
            site.accounts.count_wrong_code()
            raise AccountError("this is not the code that the device shows", "read it from the display again")
        site.accounts.create(form.get("name", ""), Role.ADMINISTRATOR, form.get("secret", ""), only_first=True)
    except LeukoscopeError as error:
        return page(request, "set_up.html", 403, message=error_words(request, error), shown=_shown_at_device(site))
    return _with_session(request, form.get("name", "").strip())


def sign_out(request: Request) -> Response:
    """Sign the person out of this browser."""
    site_of(request).sessions.end(digest_of(request.state.token))
    response = back_to("/sign-in")
    response.delete_cookie(COOKIE)
    return response


async def language(request: Request) -> Response:
    """Choose a language for this browser."""
    form = (await form_of(request)).values
    response = back_to(_own_path(form.get("path", "/")))
    if form.get("language") in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, form["language"], max_age=_YEAR_S, httponly=True, samesite="strict")
    return response


def _own_path(path: str) -> str:
    """Never another machine's."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"


ROUTES = [
    Route("/sign-in", sign_in, methods=["GET", "POST"]),
    Route("/set-up", set_up, methods=["GET", "POST"]),
    Route("/sign-out", sign_out, methods=["POST"]),
    Route("/language", language, methods=["POST"]),
]
