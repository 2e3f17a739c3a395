"""What a person says about a report, as the arguments of the command `review`, and back again."""

from collections.abc import Mapping, Sequence
from typing import Any

from leukoscope.reviewing.decision import Decision
from leukoscope.specimen.census import MissedCell
from leukoscope.specimen.lifecycle import Action


def arguments_of(report_id: str, version: int, decisions: Sequence[Decision]) -> dict[str, Any]:
    """Words as arguments of a command.

    Args:
        report_id: what they are about.
        version: the one that was looked at; the first word makes the next.
        words: in their order, each making one version.
    """
    steps = []
    for decision in decisions:
        step = {
            "action": decision.action.value,
            "note": decision.note,
            "names": {str(number): name for number, name in sorted((decision.relabel or {}).items())},
            "confirmed": sorted(decision.confirm),
            "looked_at": sorted(decision.looked_at),
            "missed": [{"field": one.field, "x": one.x, "y": one.y, "class": one.name} for one in decision.missed],
            "remarks": dict(decision.remarks),
        }
        steps.append({key: value for key, value in step.items() if value})
    return {"report": report_id, "version": version, "steps": steps}


def decisions_of(arguments: Mapping[str, Any], by: str, command: str) -> list[Decision]:
    """The words in a command that the schema let through.

    Args:
        arguments: of the command.
        by: who gave it.
        command: its id.

    Raises:
        ReviewError: a word contradicts itself.
    """
    return [
        Decision(
            Action(step["action"]),
            by,
            step.get("note", ""),
            {int(number): name for number, name in step.get("names", {}).items()},
            frozenset(step.get("confirmed", ())),
            looked_at=frozenset(step.get("looked_at", ())),
            missed=tuple(MissedCell(one["field"], one["x"], one["y"], one["class"]) for one in step.get("missed", ())),
            remarks=step.get("remarks", {}),
            based_on=arguments["version"] + place,
            command=command,
        )
        for place, step in enumerate(arguments["steps"])
    ]
