"""Accounts and sessions."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leukoscope.web.accounts import AccountError, Role
from leukoscope.web.forms import form_of
from leukoscope.web.page_server import back_to, error_words, page, person, site_of


def administration(request: Request) -> Response:
    """Who may come in, and who is in."""
    person(request, Role.ADMINISTRATOR)
    return _page(request)


def _page(request: Request, message: str = "", status: int = 200) -> Response:
    site = site_of(request)
    values: dict[str, Any] = {
        "accounts": site.accounts.all(),
        "sessions": site.sessions.all(),
        "roles": list(Role),
        "message": message,
    }
    return page(request, "administration.html", status, **values)


async def change_account(request: Request) -> Response:
    """Make or change an account."""
    person(request, Role.ADMINISTRATOR)
    return await (await form_of(request)).then(_change_account, request)


def _change_account(request: Request, form: dict[str, str]) -> Response:
    site, name = site_of(request), form.get("name", "")
    try:
        role = Role(form["role"]) if form.get("role") in list(Role) else None
        match form.get("do"):
            case "create":
                site.accounts.create(name, role or Role.TECHNICIAN, form.get("secret", ""), form.get("badge", ""))
            case "role" if role is not None:
                site.accounts.change(name, role=role)
            case "secret":
                site.accounts.change(name, secret=form.get("secret", ""))
                site.sessions.end_all_of(name)
            case "badge":
                site.accounts.change(name, badge=form.get("badge", ""))
            case "off":
                site.accounts.change(name, active=False)
                site.sessions.end_all_of(name)
            case "on":
                site.accounts.change(name, active=True)
            case _:
                raise AccountError("there is no such thing to do with an account", "load the page again")
    except AccountError as error:
        return _page(request, error_words(request, error), 409)
    return back_to("/administration")


async def end_session(request: Request) -> Response:
    """End a person's session."""
    person(request, Role.ADMINISTRATOR)
    return await (await form_of(request)).then(_end_session, request)


def _end_session(request: Request, form: dict[str, str]) -> Response:
    site_of(request).sessions.end(form.get("digest", ""))
    return back_to("/administration")


ROUTES = [
    Route("/administration", administration),
    Route("/administration/account", change_account, methods=["POST"]),
    Route("/administration/session", end_session, methods=["POST"]),
]
