"""One cell large, its picture, and that of the field around it."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from leukoscope.sentence import Sentence
from leukoscope.web.changes import ARTEFACT
from leukoscope.web.class_keys import keys_for
from leukoscope.web.measures import measured
from leukoscope.web.page_server import fragment, person, site_of
from leukoscope.web.pages.review_page import shown, view_of
from leukoscope.web.reports import GoneError

_ALIKE = 6
"""Confirmed cells of the same class that stand beside it."""


def cell(request: Request) -> Response:
    """A cell large, with what is known of it, and confirmed cells of its class beside it."""
    view = view_of(request, person(request))
    number = request.path_params["number"]
    found = next((one for one in view.cells if one.record.number == number), None)
    if found is None:
        raise GoneError(Sentence("this report has no cell {number}", number=number), "load the page again")
    picture = view.sample.pictures.get(number)
    keys = keys_for(view.sample.classes, site_of(request).settings.keys)
    return HTMLResponse(
        fragment(
            request,
            "cell.html",
            cell=found,
            alike=site_of(request).reports.alike(view.report.id, found.name, _ALIKE),
            artefact=ARTEFACT,
            key_of={name: key for key, name in keys.items()},
            field=site_of(request).reports.field(view.report.id, found.record.field),
            beside=[one for one in view.cells if one.record.field == found.record.field and one is not found],
            measures=None if picture is None else measured(picture.outline, picture.um_per_px),
            **shown(view),
        )
    )


def field(request: Request) -> Response:
    """JPEG of the field around a cell."""
    person(request)
    found = site_of(request).reports.field(request.path_params["report"], request.path_params["number"])
    try:
        content = None if found is None else found.path.read_bytes()
    except OSError:
        content = None
    if content is None:
        raise GoneError(
            "there is no picture of this field: it was not kept, or made room for others",
            "raise cells.fields or cells.fields_max_mib for the samples to come",
        )
    return Response(content, media_type="image/jpeg", headers={"cache-control": "private, max-age=3600, immutable"})


def picture(request: Request) -> Response:
    """WebP of a cell; it never changes, so the browser keeps it for the session."""
    person(request)
    content = site_of(request).reports.picture(request.path_params["report"], request.path_params["number"])
    return Response(content, media_type="image/webp", headers={"cache-control": "private, max-age=3600, immutable"})


ROUTES = [
    Route("/reports/{report}/fields/{number:int}.jpg", field),
    Route("/reports/{report}/cells/{number:int}", cell),
    Route("/reports/{report}/cells/{number:int}.webp", picture),
]
