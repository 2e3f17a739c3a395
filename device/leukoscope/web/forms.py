"""What a form or a script sent, as text; and work that waits for the disk goes to a thread."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

P = ParamSpec("P")
R = TypeVar("R")
_MOST_FIELDS = 200


@dataclass(frozen=True, slots=True)
class Form:
    """The fields of a form by their names; of several with one name the last."""

    values: dict[str, str]

    async def then(self, do: Callable[[Request, dict[str, str]], Response], request: Request) -> Response:
        """Answer in a thread."""
        return await run_in_threadpool(do, request, self.values)


async def form_of(request: Request) -> Form:
    """The fields that came with a request; files are left out."""
    async with request.form(max_files=0, max_fields=_MOST_FIELDS) as form:
        return Form({name: value for name, value in form.items() if isinstance(value, str)})


async def json_of(request: Request) -> dict[str, Any]:
    """The JSON object that came with a request.

    Raises:
        HTTPException: it is none.
    """
    try:
        content = json.loads(await request.body())
    except ValueError:
        raise HTTPException(400, "Expected JSON.") from None
    if not isinstance(content, dict):
        raise HTTPException(400, "Expected a JSON object.")
    return content
