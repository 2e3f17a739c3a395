"""What named cells are worth in the tasks that every row is asked."""

from collections.abc import Callable

import numpy as np

from evaluation.crop_tables import NOT_WHITE
from evaluation.naming import PBC_8, RAABIN_5, Groups, NamingScore, group_of, score
from methods.bench import LEFT_OUT, Bench
from methods.cells import Cells
from methods.kinds import Pictures, Words

Namer = Callable[[Pictures], Words]


def group_score(cells: Cells, answers: Words, groups: Groups) -> tuple[NamingScore, float] | None:
    """Figures of the cells that belong to a group, and the mean recall of the groups; None where none does.

    An answer outside the groups is wrong.
    """
    truths = [group_of(label, groups) for label in cells.labels.tolist()]
    kept = [index for index, truth in enumerate(truths) if truth is not None]
    if not kept:
        return None
    truth = [truths[index] or "" for index in kept]
    named = [group_of(str(answers[index]), groups) or "another" for index in kept]
    recalls = [
        np.mean([answer == group for one, answer in zip(truth, named, strict=True) if one == group])
        for group in dict.fromkeys(truth)
    ]
    return score(truth, named, groups), float(np.mean(recalls))


def blast_balance(cells: Cells, answers: Words) -> float | None:
    """Mean of sensitivity and specificity for blasts among white cells; None without both."""
    white = ~np.isin(cells.labels, list(NOT_WHITE))
    truth, named = cells.labels[white] == "blast", np.asarray(answers)[white] == "blast"
    if not truth.any() or truth.all():
        return None
    return float(named[truth].mean() + (~named[~truth]).mean()) / 2


def figures_of(cells: Cells, answers: Words) -> dict[str, float | None]:
    """Five classes, eight classes, and blasts against other white cells."""
    five, eight = group_score(cells, answers, RAABIN_5), group_score(cells, answers, PBC_8)
    return {
        "five": five[0].accuracy if five else None,
        "five balanced": five[1] if five else None,
        "five F1": five[0].macro_f1 if five else None,
        "eight": eight[0].accuracy if eight else None,
        "eight balanced": eight[1] if eight else None,
        "blast balanced": blast_balance(cells, answers),
    }


def left_out_figures(bench: Bench, fit: Callable[[Cells], Callable[[Cells], Words]]) -> dict[str, float | None]:
    """The same methods learnt without a laboratory and judged on it: five classes, and blasts of deepapl.

    Without deepapl the only blasts to learn from are taleqani's lymphoblasts; deepapl's are myeloid.
    """
    shown: dict[str, float | None] = {}
    accuracies = []
    for fold in LEFT_OUT:
        learnt = bench.train.where(~np.isin(bench.train.laboratories, fold))
        judged = bench.val.where(np.isin(bench.val.laboratories, fold))
        if not len(judged) or len(set(learnt.labels.tolist())) < 2:
            continue
        answers = fit(learnt)(judged)
        found = group_score(judged, answers, RAABIN_5)
        if found is not None:
            accuracies.append(found[0].accuracy)
            shown[f"without {'+'.join(fold)}"] = found[0].accuracy
        if "deepapl" in fold:
            shown["blast elsewhere"] = blast_balance(judged, answers)
    shown["elsewhere"] = float(np.mean(accuracies)) if accuracies else None
    return shown
