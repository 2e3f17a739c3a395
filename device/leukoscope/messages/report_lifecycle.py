"""The steps that people took on a report, as its message says them."""

from collections.abc import Mapping
from typing import Any

from leukoscope.messages.json_format import utc_text, utc_time
from leukoscope.specimen.lifecycle import Change, Life, Status, Step


def life_part(life: Life) -> dict[str, Any]:
    """The part `lifecycle`."""
    optional = {} if life.cells_looked_at is None else {"cells_looked_at": life.cells_looked_at}
    return {
        "status": life.status.value,
        "cells_checked": life.cells_checked,
        "steps": [_step(step) for step in life.steps],
        **optional,
    }


def _step(step: Step) -> dict[str, Any]:
    optional = {"signed_without": list(step.signed_without)} if step.signed_without else {}
    return {
        "version": step.version,
        "status": step.status.value,
        "by": step.by,
        "at": utc_text(step.at),
        "note": step.note,
        "changes": [{"item": one.item, "from": one.before, "to": one.after} for one in step.changes],
        **optional,
    }


def read_life(wire: Mapping[str, Any]) -> Life:
    """The life that a part `lifecycle` holds."""
    looked_at = wire.get("cells_looked_at")
    steps = tuple(_read_step(step) for step in wire["steps"])
    return Life(steps, int(wire["cells_checked"]), None if looked_at is None else int(looked_at))


def _read_step(wire: Mapping[str, Any]) -> Step:
    changes = tuple(Change(one["item"], one["from"], one["to"]) for one in wire["changes"])
    status = Status(wire["status"])
    at, without = utc_time(wire["at"]), tuple(wire.get("signed_without", ()))
    return Step(int(wire["version"]), status, wire["by"], at, wire["note"], changes, without)
