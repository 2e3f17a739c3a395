"""The worklist."""

from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from leukoscope.web.page_server import fragment, page, person, site_of
from leukoscope.web.worklist import Search


def worklist(request: Request) -> Response:
    """Reports to look at; a search as one types gets the lines alone."""
    person(request)
    site, asked = site_of(request), request.query_params
    number = asked.get("page", "1")
    search = Search(asked.get("q", ""), asked.get("state", "open"), int(number) if number.isdecimal() else 1)
    found = site.worklist.find(search)
    now = site.now()
    ages = {line.id: age_of(now, line.finished_at) for line in found.lines}
    values: dict[str, Any] = {"found": found, "search": search, "ages": ages}
    if "hx-request" in request.headers:
        return HTMLResponse(fragment(request, "worklist_lines.html", **values))
    return page(request, "worklist.html", **values)


def age_of(now: datetime, finished_at: str) -> str:
    """As "5 min", "3 h" or "2 d"."""
    minutes = max(0, int((now - datetime.fromisoformat(finished_at)).total_seconds() // 60))
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 1440} d"


ROUTES = [Route("/worklist", worklist)]
