"""How many pictures and how much time a run may take."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Amounts:
    """Caps of one run; what is kept is spread evenly over laboratories and classes."""

    train_cells: int
    val_cells: int
    tuning_pictures: int
    """Per set, of the training split."""
    val_pictures: int
    """Per set, of the validation split."""
    deep_s: float
    """Processor seconds in which a network may learn from all laboratories; a third of it without one of them."""
    marrow_per_class: int
    """Cells per class after oversampling."""


FULL = Amounts(train_cells=1500, val_cells=1000, tuning_pictures=4, val_pictures=20, deep_s=15, marrow_per_class=200)
QUICK = Amounts(train_cells=150, val_cells=100, tuning_pictures=1, val_pictures=2, deep_s=1.5, marrow_per_class=20)
