"""What the labels of each set of pictures say: of which kinds every cell is labelled, and which labels are wrong.

Of a kind that is not labelled completely no cell can be called missing or false.
"""

import csv
from pathlib import Path

KINDS = ("rbc", "wbc", "platelet")

COMPLETE: dict[str, frozenset[str]] = {
    "deepbionet": frozenset(KINDS),
    "txl": frozenset(KINDS),
    "bccd": frozenset(KINDS),
    "aslan": frozenset({"rbc", "wbc"}),
    "thesis": frozenset({"rbc"}),
    "taleqani": frozenset(),
}
"""By set of boxed pictures. Where a kind is not complete, a place without a label is unknown, not empty.

BCCD claims to box every cell, but leaves out half of the red ones. Thesis has boxes of white cells in 12 of its 464
pictures, taleqani of those white cells that could be cut out clean.
"""

KIND_OF_LABEL = {"lymphoblast": "wbc", "haematogone_field": "wbc"} | {kind: kind for kind in KINDS}
"""By the label of a box."""
_RELABELLED = Path(__file__).resolve().parents[2] / "models" / "recipes" / "relabelled.csv"


def relabelled() -> dict[tuple[str, str], str]:
    """The right label by picture and given label, where an annotator mixed the kinds up (found by looking)."""
    with _RELABELLED.open(newline="", encoding="utf-8") as table:
        return {(row["image"], row["given"]): row["right"] for row in csv.DictReader(table)}
