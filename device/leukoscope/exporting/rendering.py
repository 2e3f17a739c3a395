"""HTML and SVG from templates, in which every text that comes from a report is escaped."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from leukoscope.exporting.drawing import Drawing, Side

_ANCHOR: dict[Side, str] = {"left": "start", "centre": "middle", "right": "end"}

_templates = Environment(
    loader=PackageLoader("leukoscope.exporting"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def rendered(name: str, **values: Any) -> Markup:
    """A file of `templates/` with these values in it, as markup that stands in another template as it is."""
    return Markup(_templates.get_template(name).render(values))  # noqa: S704


def as_svg(drawing: Drawing) -> Markup:
    """One `<svg>` element whose unit is a point."""
    marks = [(type(mark).__name__, mark) for mark in drawing.marks]
    return rendered("drawing.svg", drawing=drawing, marks=marks, anchors=_ANCHOR)
