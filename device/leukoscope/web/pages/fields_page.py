"""The fields of a report, one at a time: where a cell that the device missed is pointed at and named."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from leukoscope.web.class_keys import keys_for
from leukoscope.web.page_server import fragment, page, person, site_of
from leukoscope.web.pages.review_page import shown, view_of
from leukoscope.web.reports import GoneError


def field_page(request: Request) -> Response:
    """One field with the outlines of its cells; for the script only what changes."""
    account = person(request)
    view, number = view_of(request, account), request.path_params["number"]
    fields = view.sample.fields
    if fields is None or number not in fields.sizes:
        raise GoneError(
            "there is no picture of this field: it was not kept, or made room for others",
            "raise cells.fields or cells.fields_max_mib for the samples to come",
        )
    numbers = sorted(fields.sizes)
    at = numbers.index(number)
    keys = keys_for(view.sample.classes, site_of(request).settings.keys)
    cells = [cell for cell in view.cells if cell.record.field == number]
    values = shown(view) | {
        "number": number,
        "size": fields.sizes[number],
        "cells": cells,
        "outlines": {cell.record.number: found for cell in cells if (found := fields.outline_of(cell.record))},
        "before": numbers[at - 1] if at else None,
        "after": numbers[at + 1] if at + 1 < len(numbers) else None,
        "place": at + 1,
        "count": len(numbers),
        "keys": keys,
        "key_of": {name: key for key, name in keys.items()},
    }
    if "hx-request" in request.headers:
        return HTMLResponse(fragment(request, "field_cells.html", **values))
    return page(request, "field.html", **values)


ROUTES = [Route("/reports/{report}/fields/{number:int}", field_page)]
