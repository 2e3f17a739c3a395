"""How the instrument did over the days."""

from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from leukoscope.errors import TrendError
from leukoscope.web.page_server import error_words, page, person, site_of
from leukoscope.web.reports import GoneError
from leukoscope.web.trend_charts import HEIGHT, WIDTH, charts_of

DAYS = (7, 30, 90, 365)
"""What can be looked back on; 0 for all."""


def trend(request: Request) -> Response:
    """A chart for each measure; drawn by the server, so that it needs no script."""
    person(request)
    site = site_of(request)
    if site.run_history is None:
        raise GoneError("a trend is that of one device", "open the page of the device")
    asked = request.query_params.get("days", "")
    days = int(asked) if asked in {str(one) for one in (*DAYS, 0)} else 30
    since = None if not days else site.now() - timedelta(days=days)
    try:
        references, message = charts_of(site.run_history.runs(), since), ""
    except TrendError as error:
        references, message = [], error_words(request, error)
    return page(
        request, "trend.html", references=references, message=message, days=days, choices=(*DAYS, 0),
        width=WIDTH, height=HEIGHT,
    )  # fmt: skip


ROUTES = [Route("/trend", trend)]
