"""Of which kinds of cells each set of pictures labels every one: no other can be called missing or false there."""

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
