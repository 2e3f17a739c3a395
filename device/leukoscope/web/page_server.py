"""What every page needs: accounts, sessions, drafts, reports, and templates that escape what they are given."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from leukoscope.errors import LeukoscopeError
from leukoscope.quality_control.history import History
from leukoscope.sentence import Sentence
from leukoscope.specimen.lifecycle import SigningRule
from leukoscope.web.accounts import Account, Accounts, Role
from leukoscope.web.bench_link import BenchLink
from leukoscope.web.database import Databases
from leukoscope.web.drafts import Drafts
from leukoscope.web.reports import Reports
from leukoscope.web.sessions import Sessions
from leukoscope.web.teaching import Teaching
from leukoscope.web.upkeep import Upkeep
from leukoscope.web.words import LANGUAGES, class_in, error_in, language_of, said_in, translate
from leukoscope.web.worklist import Worklist
from leukoscope.web_settings import WebSettings

STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True)
class Site:
    """One page server."""

    title: str
    """Of the device or the centre."""
    settings: WebSettings
    rule: SigningRule
    databases: Databases
    accounts: Accounts
    sessions: Sessions
    drafts: Drafts
    worklist: Worklist
    reports: Reports
    setup_code: str
    """Makes the first administrator; shown where only those at the device can read it."""
    now: Callable[[], datetime]
    bench: BenchLink | None = None
    """The bench beside this page; None at the centre."""
    teaching: Teaching | None = None
    """Fits its classifier; None at the centre."""
    upkeep: Upkeep | None = None
    """Its doctor, bundles, settings and file for support; None at the centre."""
    run_history: History | None = None
    """What each of its samples and checks said of the instrument; None at the centre."""

    @classmethod
    def of(
        cls,
        title: str,
        settings: WebSettings,
        rule: SigningRule,
        databases: Databases,
        reports: Reports,
        setup_code: str,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        bench: BenchLink | None = None,
        teaching: Teaching | None = None,
        upkeep: Upkeep | None = None,
        run_history: History | None = None,
    ) -> "Site":
        """A server over a place where reports are."""
        accounts = Accounts(databases, now)
        sessions = Sessions(databases, accounts, now, timedelta(hours=settings.session_h))
        worklist = Worklist(databases, reports)
        drafts = Drafts(databases, now)
        kept = accounts, sessions, drafts, worklist
        device = bench, teaching, upkeep, run_history
        return cls(title, settings, rule, databases, *kept, reports, setup_code, now, *device)


_templates = Environment(
    loader=PackageLoader("leukoscope.web"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def compile_templates() -> None:
    """Compile every template before the first request; what that takes in memory can be given back then."""
    for name in _templates.list_templates():
        _templates.get_template(name)


def site_of(request: Request) -> Site:
    """The server that a request came to."""
    site: Site = request.app.state.site
    return site


def person(request: Request, may: Role = Role.TECHNICIAN) -> Account:
    """Who makes a request.

    Raises:
        HTTPException: no person is signed in, or the person may not do this.
    """
    account: Account | None = request.state.account
    if account is None:
        raise HTTPException(401, "Sign in first.")
    if not account.role.may(may):
        raise HTTPException(403, Sentence("This needs the role {role}.", role=may.value))
    return account


def page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """A page in the language of the person."""
    return HTMLResponse(fragment(request, template, **values), status)


def fragment(request: Request, template: str, **values: Any) -> str:
    """A template, filled in."""
    language = language_of(request)

    def translated(text: str, **fields: object) -> str:
        return translate(language, text, **fields)

    given: dict[str, Any] = {
        "_": translated,
        "said": lambda text: said_in(language, text),
        "language": language,
        "languages": LANGUAGES,
        "account": request.state.account,
        "site": site_of(request),
        "path": request.url.path,
        "class_words": lambda key: class_in(language, str(key)),
    }
    return _templates.get_template(template).render(given | values)


def error_words(request: Request, error: LeukoscopeError) -> str:
    """What happened and what to do, in the language of the person."""
    return error_in(language_of(request), error)


def back_to(path: str) -> Response:
    """After something was changed: look at it."""
    return RedirectResponse(path, 303)
