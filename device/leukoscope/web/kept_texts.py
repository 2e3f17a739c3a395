"""A text on one line of a table, a file or a command's output, from which it can be put into another language."""

import json

from leukoscope.sentence import from_wire, to_wire


def kept(text: str) -> str:
    """One line: JSON where the text has values or is the same in every language, the text itself otherwise."""
    wire = to_wire(text)
    return text if isinstance(wire, str) else json.dumps(wire)


def read(line: str) -> str:
    """The text that was kept; the line as it is where it is nothing else, as older software wrote it."""
    try:
        text = from_wire(json.loads(line))
    except ValueError:
        text = None
    return line if text is None else text
