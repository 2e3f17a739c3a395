"""What a key, a click or a remark does to a person's draft."""

from collections.abc import Callable, Sequence
from typing import Any

from starlette.exceptions import HTTPException

from leukoscope.errors import ReviewError
from leukoscope.reviewing.decision import MOST_REMARK_CHARS
from leukoscope.reviewing.missed_cells import MOST_MISSED
from leukoscope.sentence import Sentence, Verbatim
from leukoscope.web.drafts import Draft
from leukoscope.web.report_view import View

ARTEFACT = "artefact"
"""The class of what is no cell to be counted, where the bundle has it."""
DOUBLE = "counted twice"
"""The comment on a cell that is in the report already under another number."""
Asked = dict[str, Any]
"""The JSON object that the page sent."""


def _name(draft: Draft, cells: list[int], asked: Asked, view: View) -> list[int]:
    draft.name(dict.fromkeys(cells, _class_in(asked, view)))
    return []


def _class_in(asked: Asked, view: View) -> str:
    name = str(asked.get("class"))
    if name not in view.sample.classes:
        raise ReviewError(
            Sentence(
                "{name} is no class of this report: expected one of {classes}",
                name=Verbatim(repr(name[:40])),
                classes=", ".join(view.sample.classes),
            ),
            "choose one of these",
        )
    return name


def _confirm(draft: Draft, cells: list[int], asked: Asked, view: View) -> list[int]:
    named = {cell.record.number: cell.name for cell in view.cells}
    draft.name({number: named[number] for number in cells})
    return []


def _double(draft: Draft, cells: list[int], asked: Asked, view: View) -> list[int]:
    """Leave cells out that are in the report already: as artefacts, and a comment says why."""
    if ARTEFACT not in view.sample.classes:
        raise ReviewError("this report knows no artefacts", "comment on the cell instead")
    if added := [number for number in cells if number in draft.missed]:
        draft.remove(added)
    if found := [number for number in cells if number not in draft.missed]:
        draft.name(dict.fromkeys(found, ARTEFACT), {f"comment/{number}": DOUBLE for number in found})
    return []


def _undo(draft: Draft, cells: list[int], asked: Asked, view: View) -> list[int | str]:
    return draft.undo_last()


def _look(draft: Draft, cells: list[int], asked: Asked, view: View) -> list[int]:
    draft.looked_at.update(cells)
    return []


def _remark(draft: Draft, cells: list[int], asked: Asked, view: View) -> list[int]:
    item, text = str(asked.get("item")), str(asked.get("text", "")).strip()
    known = {f"finding/{one.code}" for one in view.report.findings} | {"remark/red_cells", "remark/platelets"}
    known |= {f"comment/{number}" for number in view.sample.names}
    if item not in known or len(text) > MOST_REMARK_CHARS:
        raise ReviewError(
            Sentence(
                "expected at most {most} characters on a cell, a finding, red cells or platelets",
                most=MOST_REMARK_CHARS,
            ),
            "shorten it",
        )
    draft.remark(item, text)
    return []


def _rebase(draft: Draft, cells: list[int], asked: Asked, view: View) -> list[int]:
    """The person has seen what changed since."""
    if asked.get("version") != view.report.version:
        raise ReviewError("the report has changed once more", "load the page again and look at what changed")
    draft.version = view.report.version
    if view.sample.fields is not None:
        # What another person added meanwhile is named, not added once more.
        for number, one in draft.added():
            found = view.sample.fields.cell_at(view.sample.cells, one.field, one.x, one.y)
            if found is not None:
                draft.remove([number])
                draft.name({found: one.name})
    return []


def _missed(draft: Draft, cells: list[int], asked: Asked, view: View) -> list[int]:
    """Add a cell that the device missed, or name the one that is there."""
    name, fields = _class_in(asked, view), view.sample.fields
    place = asked.get("field"), asked.get("x"), asked.get("y")
    if not all(isinstance(one, int) for one in place):
        raise HTTPException(400, "Expected a field and a place in it.")
    if fields is None:
        raise ReviewError("the device that counted shows fields, this page does not", "add the cell there")
    field, x, y = (int(one) for one in place if one is not None)
    found = fields.cell_at(view.cells, field, x, y)
    if found is None:
        fields.check(field, x, y)
        if len(draft.added()) >= MOST_MISSED:
            raise ReviewError(
                Sentence("expected at most {most} missed cells", most=MOST_MISSED),
                "sign these first, or count again",
            )
        return [draft.add(field, x, y, name)]
    draft.name({found: name})
    return [found]


def _remove(draft: Draft, cells: list[int], asked: Asked, view: View) -> list[int]:
    """Take back cells that this draft added."""
    if not draft.missed.keys() >= set(cells):
        raise ReviewError("only cells that you added can be removed", "name the others as artefacts")
    draft.remove(cells)
    return []


CHANGES: dict[str, Callable[[Draft, list[int], Asked, View], Sequence[int | str]]] = {
    "name": _name,
    "confirm": _confirm,
    "double": _double,
    "undo": _undo,
    "look": _look,
    "remark": _remark,
    "missed": _missed,
    "remove": _remove,
    "rebase": _rebase,
}
"""By its name; each takes the draft, the cells that it is about, all that was sent and what the person sees, and
returns the numbers of further cells, and the items of remarks, that it changed."""
