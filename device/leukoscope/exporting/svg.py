"""A drawing as SVG, to stand inside a page."""

from xml.sax.saxutils import escape, quoteattr

from leukoscope.exporting.drawing import Bar, Disc, Drawing, Line, Mark, Side

_ANCHOR: dict[Side, str] = {"left": "start", "centre": "middle", "right": "end"}


def as_svg(drawing: Drawing) -> str:
    """One `<svg>` element whose unit is a point."""
    box = f'viewBox="0 0 {drawing.width:g} {drawing.height:g}"'
    size = f'width="{drawing.width:g}pt" height="{drawing.height:g}pt"'
    marks = "".join(_mark(mark) for mark in drawing.marks)
    return f'<svg {box} {size} role="img" aria-label={quoteattr(drawing.description)}>{marks}</svg>'


def _mark(mark: Mark) -> str:
    match mark:
        case Bar(x, y, width, height, fill):
            return f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" fill="{fill}"/>'
        case Line(x1, y1, x2, y2, colour, width):
            ends = f'x1="{x1:.2f}" y1="{y1:.2f}" x2="{x2:.2f}" y2="{y2:.2f}"'
            return f'<line {ends} stroke="{colour}" stroke-width="{width:g}"/>'
        case Disc(x, y, radius, fill):
            return f'<circle cx="{x:.2f}" cy="{y:.2f}" r="{radius:g}" fill="{fill}"/>'
        case _:
            place = f'x="{mark.x:.2f}" y="{mark.y:.2f}" font-size="{mark.size:g}"'
            look = f'fill="{mark.colour}" text-anchor="{_ANCHOR[mark.side]}"'
            return f"<text {place} {look}>{escape(mark.text)}</text>"
