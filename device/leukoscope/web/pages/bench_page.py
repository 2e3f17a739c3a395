"""The technician's page: what the bench beside this page sees and does, and what it is asked to do."""

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from leukoscope.messages.command import CommandName
from leukoscope.web.accounts import Account, Role
from leukoscope.web.bench_link import Asked, BenchAwayError, BenchLink
from leukoscope.web.forms import form_of
from leukoscope.web.page_server import back_to, error_words, fragment, page, person, site_of
from leukoscope.web.reports import GoneError
from leukoscope.web.words import language_of, said_in

_STEPS = {
    "pause": CommandName.PAUSE_SAMPLE,
    "resume": CommandName.RESUME_SAMPLE,
    "finish": CommandName.FINISH_SAMPLE,
    "discard": CommandName.DISCARD_SAMPLE,
}

HINTS = {
    "move": "Move the slide to the next field.",
    "wait": "Hold still: this field is being counted.",
    "focus": "Focus: the picture is blurred.",
    "slower": "Slower: the slide was lost from view.",
    "too_crowded": "Too crowded: go where cells lie side by side.",
    "no_cells": "No cells here: move back onto the smear.",
    "too_bright": "Too bright: turn the lamp down.",
    "too_dark": "Too dark: turn the lamp up.",
    "no_smear": "No stain: check slide and camera colours.",
    "no_blood": "No blood: what is seen are hardly cells.",
    "crop": "Black edge: the camera sees past the field.",
}
"""What a technician does next, by `displays.state.Hint`."""


def bench(request: Request) -> Response:
    """The whole page; without a script it shows the moment at which it was loaded."""
    person(request)
    return _page(request)


def _page(
    request: Request, status: int = 200, message: str = "", sample_id: str = "", *, again: bool = False
) -> Response:
    return page(
        request, "bench.html", status, message=message, sample_id=sample_id, again=again, **_shown(_link(request))
    )


def _link(request: Request) -> BenchLink:
    found = site_of(request).bench
    if found is None:
        raise GoneError("there is no bench beside this page", "open the page of the device")
    return found


def _shown(link: BenchLink) -> dict[str, Any]:
    runs = link.watch()
    state = link.state()
    screens = {} if state is None else state.screens
    fault = None if state is None else screens.get("Fault")
    if not runs and fault is None and (last := link.last_fault()) is not None:
        fault = {"part": last.part, "happened": last.happened, "todo": last.todo}
    doing = "away" if not runs or state is None else state.doing
    named = "" if state is None or state.sample is None else state.sample.report
    return {
        "state": state,
        "doing": doing,
        "fault": fault,
        "counting": screens.get("Counting"),
        "hint": HINTS.get(str(screens["Looking"]["hint"])) if "Looking" in screens else None,
        "notice": screens.get("Guiding"),
        "ready": screens.get("Ready"),
        "result": screens.get("Result"),
        "key": f"{doing} {named}",
    }


def state(request: Request) -> Response:
    """What has changed since, for the script; also says that a person watches."""
    person(request)
    shown = _shown(_link(request))
    found = shown["state"]
    return JSONResponse(
        {
            "status": fragment(request, "bench_status.html", **shown).strip(),
            "live": fragment(request, "bench_live.html", **shown),
            "controls": fragment(request, "bench_controls.html", sample_id="", again=False, **shown),
            "key": shown["key"],
            "frame": 0 if found is None or shown["doing"] == "away" else found.frame,
        }
    )


def field(request: Request) -> Response:
    """JPEG of the newest field."""
    person(request)
    content = _link(request).picture()
    if content is None:
        raise GoneError("there is no live picture", "wait for the next frame")
    return Response(content, media_type="image/jpeg")


async def act(request: Request) -> Response:
    """Start, pause, go on with or finish a sample."""
    return await (await form_of(request)).then(_act, request)


def _act(request: Request, form: dict[str, str]) -> Response:
    account = person(request, Role.TECHNICIAN)
    sample_id, again = form.get("sample_id", "").strip(), form.get("again") == "yes"
    try:
        asked = _ask(_link(request), account, form, sample_id, again=again)
    except BenchAwayError as error:
        return _page(request, 503, error_words(request, error), sample_id)
    if asked.done:
        return back_to("/bench")
    return _page(
        request, 409, said_in(language_of(request), asked.text), sample_id, again=asked.reason == "used_before"
    )


def _ask(link: BenchLink, account: Account, form: dict[str, str], sample_id: str, *, again: bool) -> Asked:
    do = form.get("do", "")
    if do == "start":
        asked = {"sample_id": sample_id, **({"again": True} if again else {})}
        return link.ask(CommandName.START_SAMPLE, account.name, asked)
    if do not in _STEPS:
        # Whatever is not understood starts nothing.
        raise GoneError("a bench has no such button", "use the buttons of the page")
    if do == "discard" and form.get("sure") != "yes":
        raise GoneError("a sample is not thrown away by one press", "say that you are sure")
    return link.ask(_STEPS[do], account.name, {"report": form.get("report", "")})


def restarted(request: Request, account: Account) -> str:
    """Let the bench start again, where it runs and counts nothing; what it answers, in the language of the person."""
    link = site_of(request).bench
    if link is None:
        return ""
    try:
        return said_in(language_of(request), link.ask(CommandName.RESTART, account.name, {}).text)
    except BenchAwayError:
        return ""


ROUTES = [
    Route("/bench", bench),
    Route("/bench/state", state),
    Route("/bench/field.jpg", field),
    Route("/bench/act", act, methods=["POST"]),
]
