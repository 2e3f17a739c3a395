"""Findings made anew from the cells: in words that can be translated, with the cells that they are about."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence

from leukoscope.messages.json_format import to_bytes
from leukoscope.outbox.white_cells import Named
from leukoscope.reviewing.review import undecided_of
from leukoscope.specimen.cell import UNSURE
from leukoscope.specimen.sample import Finding, SampleReport
from leukoscope.statistics.recount import Grounds, recount
from leukoscope.statistics.rules import Rules

_log = logging.getLogger("leukoscope.web")
_BLAST = "blast"
_OF_UNSURE = {"blast_suspects": (_BLAST, UNSURE), "worst_case": (_BLAST, UNSURE), "too_many_unsure": (UNSURE,)}


def counted_anew(report: SampleReport, grounds: Grounds, cells: Sequence[Named]) -> SampleReport:
    """The report with these names of its cells."""
    answers = Counter(cell.name for cell in cells if not cell.checked)
    checked = Counter(cell.name for cell in cells if cell.checked)
    return recount(report, grounds, answers, checked, undecided_of(cells, grounds))


def grounds_sent(content: Mapping[str, object] | None, report: SampleReport, cells: Sequence[Named]) -> Grounds | None:
    """What a report's numbers rest on, as a device sent it; None where they do not lead to the report's numbers.

    That is so where the device sent pictures of some of the cells, where a person confirmed cells at the device, which
    is not known here, and where grounds or rules are of other software.

    Args:
        content: the `grounds` of a cell's message; None where none were sent.
        report: in the version in force.
        cells: those that are known, as they are called in that version.
    """
    if content is None:
        return None
    try:
        grounds = Grounds.from_json(to_bytes(content))
        anew = counted_anew(report, grounds, cells)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        _log.warning("the grounds of report %s are of other software: %s", report.id, error)
        return None
    same = [str(one.text) for one in anew.findings] == [str(one.text) for one in report.findings]
    return grounds if same and _numbers_of(anew) == _numbers_of(report) else None


def _numbers_of(report: SampleReport) -> tuple[object, ...]:
    counts = {one.cell_class: one.count for one in report.differential if one.count}
    return report.white_cells, counts, {name: count for name, count in report.beside.items() if count}


def findings_as_sentences(report: SampleReport, cells: Sequence[Named], grounds: Grounds | None) -> tuple[Finding, ...]:
    """The findings of a report that was read: each as the sentence that it was, where it can be made anew.

    What is read is plain English; one that other software made, in other words, stays so.
    """
    if grounds is None or not cells:
        return report.findings
    made = {one.text: one for one in counted_anew(report, grounds, cells).findings}
    return tuple(made.get(one.text, one) for one in report.findings)


def cells_of_findings(
    findings: Sequence[Finding], cells: Sequence[Named], rules: Rules, groups: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """By code of the finding: the classes of the cells that it is about, as far as there are such cells.

    Args:
        findings: of the report.
        cells: as they are called.
        rules: that made the findings.
        groups: classes by name of a group, which a rule may ask for.
    """
    there = {cell.name for cell in cells}
    asked = {rule.code: rule.of for rule in rules.share}
    if rules.erythroblasts is not None:
        asked["erythroblasts_seen"] = rules.erythroblasts.of
    asked |= _OF_UNSURE | {"too_many_unnamed": rules.counting.unnamed}
    found = {}
    for one in findings:
        classes = [name for key in asked.get(one.code, ()) for name in groups.get(key, (key,)) if name in there]
        if classes:
            found[one.code] = list(dict.fromkeys(classes))
    return found
