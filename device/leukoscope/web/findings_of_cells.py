"""Findings made anew from the cells: in words that can be translated, with the cells that they are about."""

from collections import Counter
from collections.abc import Mapping, Sequence

from leukoscope.outbox.white_cells import Named
from leukoscope.reviewing.review import undecided_of
from leukoscope.specimen.cell import UNSURE
from leukoscope.specimen.sample import Finding, SampleReport
from leukoscope.statistics.recount import Grounds, recount
from leukoscope.statistics.rules import Rules

_BLAST = "blast"
_OF_UNSURE = {"blast_suspects": (_BLAST, UNSURE), "worst_case": (_BLAST, UNSURE), "too_many_unsure": (UNSURE,)}


def counted_anew(report: SampleReport, grounds: Grounds, cells: Sequence[Named]) -> SampleReport:
    """The report with these names of its cells."""
    answers = Counter(cell.name for cell in cells if not cell.checked)
    checked = Counter(cell.name for cell in cells if cell.checked)
    return recount(report, grounds, answers, checked, undecided_of(cells, grounds))


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
