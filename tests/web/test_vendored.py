"""What comes from others, and that the page asks nobody else for anything."""

import base64
import hashlib
import re

from leukoscope.web.page_server import STATIC

HTMX_2_0_8 = "/TgkGk7p307TH7EXJDuUlgG3Ce1UVolAOFopFekQkkXihi5u/6OCvVKyz1W+idaz"
"""SHA-384 of dist/htmx.min.js of the package htmx.org 2.0.8."""


def test_htmx_is_the_file_that_was_published() -> None:
    digest = hashlib.sha384((STATIC / "htmx.min.js").read_bytes()).digest()
    assert base64.b64encode(digest).decode() == HTMX_2_0_8


def test_no_page_names_another_machine() -> None:
    for file in [*(STATIC.parent / "templates").glob("*.html"), STATIC / "page.css", STATIC / "review.js"]:
        assert re.findall(r"(?:src|href|url\()\s*=?\s*[\"']?(?:https?:)?//", file.read_text()) == [], file.name
