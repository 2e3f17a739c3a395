"""One report: its gallery, the draft behind each key, and the signature."""

from collections.abc import Sequence
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from leukoscope.errors import LeukoscopeError, ReviewError
from leukoscope.reviewing.signing_rule import MEANING, awaits_decision, is_suspect
from leukoscope.sentence import Sentence, Verbatim
from leukoscope.specimen.cell import UNSURE
from leukoscope.specimen.lifecycle import SIGNED, Action
from leukoscope.specimen.sample import Finding
from leukoscope.statistics.rules import Rules
from leukoscope.web.accounts import Account, Role
from leukoscope.web.changes import CHANGES
from leukoscope.web.class_keys import keys_for
from leukoscope.web.drafts import Draft
from leukoscope.web.findings_of_cells import cells_of_findings
from leukoscope.web.forms import form_of, json_of
from leukoscope.web.page_server import back_to, error_words, fragment, page, person, site_of
from leukoscope.web.report_view import View, likeliest
from leukoscope.web.reports import GoneError
from leukoscope.web.words import language_of, said_in

PX_PER_UM = 5.0
"""Of the gallery at first; one scale for all cells."""
_MEDIA = {"pdf": "application/pdf", "csv": "text/csv", "fhir": "application/fhir+json", "html": "text/html"}


def view_of(request: Request, account: Account) -> View:
    """The report of the address, as this person sees it."""
    site, report_id = site_of(request), request.path_params["report"]
    sample = site.reports.sample(report_id)
    draft = site.drafts.get(report_id, account.name) or Draft(sample.report.version)
    return View(sample, draft)


def review(request: Request) -> Response:
    """The whole page of a report; without a script it can be read and signed."""
    account = person(request)
    return _page(request, account)


def _page(request: Request, account: Account, message: str = "", status: int = 200) -> Response:
    view = view_of(request, account)
    site = site_of(request)
    keys = keys_for(view.sample.classes, site.settings.keys)
    return page(
        request,
        "review.html",
        status,
        message=message,
        keys=keys,
        key_of={name: key for key, name in keys.items()},
        scale=PX_PER_UM,
        others=site.drafts.see(view.report.id, account.name),
        waiting=site.reports.waiting(view.report.id),
        meaning=MEANING,
        may_sign=account.role.may(Role.REVIEWER),
        **shown(view),
    )


def shown(view: View) -> dict[str, Any]:
    """What templates are given of a report."""
    return {
        "view": view,
        "report": view.report,
        "findings": view.findings,
        "lines": view.count_lines(),
        "left": view.left,
        "awaits": awaits_decision,
        "suspect": is_suspect,
        "likeliest": likeliest,
        "unsure": UNSURE,
        "signed": view.report.life.status in SIGNED,
        "remarks": view.remarks,
    }


async def change_draft(request: Request) -> Response:
    """What a key, a drag or a remark does; on the disk when it is answered."""
    return await run_in_threadpool(_change_draft, request, await json_of(request))


def _change_draft(request: Request, asked: dict[str, Any]) -> Response:
    account = person(request)
    site, report_id = site_of(request), request.path_params["report"]
    sample = site.reports.sample(report_id)
    numbers = _numbers(asked.get("cells", []))
    do = CHANGES.get(str(asked.get("do")))
    if do is None:
        raise HTTPException(400, "There is no such change.")
    seen = _seen_version(asked.get("seen"), sample.report.version)
    if asked.get("do") == "confirm" and seen != sample.report.version:
        # The names that are confirmed would be those of a version that is not on the screen.
        raise ReviewError(_moved_on(sample.report.version, seen), "load the page again")
    touched = sorted(numbers)
    changed_too: list[int | str] = []

    def change(draft: Draft) -> None:
        view = View(sample, draft)
        if gone := numbers - view.numbers:
            raise GoneError(Sentence("this report has no cell {number}", number=min(gone)), "load the page again")
        changed_too.extend(do(draft, touched, asked, view))

    draft = site.drafts.change(report_id, account.name, seen, change)
    view = View(sample, draft)
    if asked.get("do") == "look":
        return JSONResponse({"left": fragment(request, "left.html", **shown(view))})
    by_number = {cell.record.number: cell for cell in view.cells}
    states = {
        number: {
            "name": by_number[number].name,
            "decided": number in draft.names,
            "awaits": awaits_decision(by_number[number]),
        }
        for number in {*touched, *changed_too}
        if isinstance(number, int) and number in by_number
    }
    gone = {number for number in (*touched, *changed_too) if isinstance(number, int)} - by_number.keys()
    values = shown(view)
    return JSONResponse(
        {
            "cells": states,
            "gone": sorted(gone),
            "remarks": {item: values["remarks"].get(item, "") for item in changed_too if isinstance(item, str)},
            "counts": fragment(request, "counts.html", **values),
            "left": fragment(request, "left.html", **values),
        }
    )


def _seen_version(said: Any, in_force: int) -> int:
    """The version that the page shows on which a person works; a draft that begins now is about that one."""
    return said if type(said) is int and 0 < said < in_force else in_force


def _moved_on(now: int, mine: int) -> Sentence:
    return Sentence("version {now} is in force and you looked at version {mine}", now=now, mine=mine)


def _numbers(values: Any) -> set[int]:
    if not isinstance(values, list) or not all(isinstance(one, int) for one in values):
        raise HTTPException(400, "Expected a list of cells.")
    return set(values)


def findings(request: Request) -> Response:
    """Findings before and after the draft."""
    view = view_of(request, person(request))
    after = view.recounted()
    cells = _cells_of(view, view.findings if after is None else after.findings)
    return HTMLResponse(fragment(request, "findings.html", after=after, cells=cells, **shown(view)))


def _cells_of(view: View, findings: Sequence[Finding]) -> dict[str, list[str]]:
    grounds = view.sample.grounds
    rules = Rules.shipped(view.report.rules.mode) if grounds is None else grounds.rules
    return cells_of_findings(findings, view.cells, rules, {} if grounds is None else grounds.naming.groups)


def state(request: Request) -> Response:
    """Who else is here, and whether the report moved on."""
    account = person(request)
    site, view = site_of(request), view_of(request, account)
    others = site.drafts.see(view.report.id, account.name)
    waiting = site.reports.waiting(view.report.id)
    return HTMLResponse(fragment(request, "state.html", others=others, waiting=waiting, view=view))


async def act(request: Request) -> Response:
    """Sign, review for another to sign, correct or amend; the PIN is asked again."""
    return await (await form_of(request)).then(_act, request)


_ACTIONS = {
    "sign": (Action.FINALISE, Role.REVIEWER),
    "review": (Action.REVIEW, Role.TECHNICIAN),
    "correct": (Action.CORRECT, Role.REVIEWER),
    "amend": (Action.AMEND, Role.REVIEWER),
}


def _act(request: Request, form: dict[str, str]) -> Response:
    action, role = _ACTIONS.get(form.get("do", ""), (None, Role.TECHNICIAN))
    if action is None:
        raise HTTPException(400, "There is no such step.")
    account = person(request, role)
    site = site_of(request)
    try:
        signer = form.get("name", "").strip() or account.name
        if site.accounts.check(signer, form.get("secret", "")).name != account.name:
            raise ReviewError(
                Sentence("{name} is signed in here, and this is another person's badge", name=Verbatim(account.name)),
                "sign in anew",
            )
        view = view_of(request, account)
        shown_version = form.get("version", "")
        if view.moved_on or shown_version != str(view.report.version):
            seen = _seen_version(int(shown_version) if shown_version.isdecimal() else None, view.report.version)
            # Without a draft nothing would say what changed since.
            draft = site.drafts.change(view.report.id, account.name, seen, lambda draft: None)
            raise ReviewError(
                _moved_on(view.report.version, min(seen, draft.version)),
                "look at what changed and say that you have seen it",
            )
        done = site.reports.submit(view.sample, view.decisions(action, account.name, form.get("note", "").strip()))
    except LeukoscopeError as error:
        return _page(request, account, error_words(request, error), 409)
    if done.version is not None:
        site.drafts.drop(view.report.id, account.name)
    if done.warning:
        return _page(request, account, said_in(language_of(request), done.warning))
    return back_to(f"/reports/{view.report.id}")


def export(request: Request) -> Response:
    """The report as a file."""
    person(request)
    report_id, form = request.path_params["report"], request.path_params["form"]
    if form not in _MEDIA:
        raise GoneError(
            Sentence("a report is not exported as {form}", form=form[:20]), "choose one of those on the page"
        )
    reports = site_of(request).reports
    report, content = reports.sample(report_id).report, reports.export(report_id, form)
    ending = "json" if form == "fhir" else form
    name = f"report-{report.id[:8]}-v{report.version}.{ending}"
    return Response(content, media_type=_MEDIA[form], headers={"content-disposition": f'attachment; filename="{name}"'})


ROUTES = [
    Route("/reports/{report}", review),
    Route("/reports/{report}/draft", change_draft, methods=["POST"]),
    Route("/reports/{report}/findings", findings),
    Route("/reports/{report}/state", state),
    Route("/reports/{report}/act", act, methods=["POST"]),
    Route("/reports/{report}/export/{form}", export),
]
