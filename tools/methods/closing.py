"""Says in words what the rows show: where a method is ahead of ours, and what may come home."""

from collections.abc import Iterator, Sequence

from methods.results import Results, Row


def closing(results: Results) -> Iterator[str]:
    """Paragraphs, each of them only where its rows were measured."""
    yield "### What the rows say"
    yield from _outliers(results.of("outliers"))
    yield from _ahead(results)
    yield from _honest(results)


def _outliers(rows: Sequence[Row]) -> Iterator[str]:
    scored = {row.name: row for row in rows if _of(row, "auroc") is not None}
    if not {"temperature", "margin"} <= set(scored):
        return
    best = max(scored.values(), key=lambda row: _of(row, "auroc") or 0.0)
    ours = max((scored[name] for name in ("temperature", "margin")), key=lambda row: _of(row, "auroc") or 0.0)
    both = "; ".join(f"{row.figures['title']} {_shown(row, 'auroc')}" for row in scored.values())
    text = f"**What may come home.** Unknown classes in a left-out laboratory, AUROC: {both}."
    if best.name in ("temperature", "margin"):
        yield text + " Nothing is ahead of temperature and margin, so nothing comes home."
        return
    folds = ("deepapl", "pbc")
    everywhere = all((_of(best, f"auroc {one}") or 0) > (_of(ours, f"auroc {one}") or 0) for one in folds)
    caught = f"where 5 % of the known cells are refused it catches {_shown(best, 'caught')} of the unknown, "
    caught += f"{ours.figures['title']} {_shown(ours, 'caught')}"
    yield (
        f"{text} Ahead of both is {best.figures['title']}, "
        f"{'in both laboratories' if everywhere else 'but not in both laboratories'}; {caught}."
    )


def _ahead(results: Results) -> Iterator[str]:
    """Rows that are ahead of ours in a figure of their own table."""
    found = []
    for kinds, figure, words in (
        (("segmentation",), "cell", "Dice of white cells"),
        (("segmentation",), "nucleus", "Dice of nuclei"),
        (("segmentation",), "boundary", "boundary F1"),
        (("segmentation",), "red", "F1 of red cells"),
        *((("segmentation",), f"cell {name}", f"Dice on {name}") for name in ("krd_wbc", "seg_wbc")),
        *((("segmentation",), f"red {name}", f"F1 on {name}") for name in ("txl", "deepbionet", "aslan", "thesis")),
        (("deep", "naming"), "five", "five classes"),
        (("deep", "naming"), "eight", "eight classes"),
        (("deep", "naming"), "blast balanced", "blasts, balanced"),
        (("edges",), "edge", "edges"),
        (("marrow",), "ten", "ten stages"),
        (("verdicts",), "sensitivity", "fields called leukaemic, sensitivity"),
    ):
        rows = [row for kind in kinds for row in results.of(kind) if "split too late" not in row.name]
        own = next((row for row in rows if row.name == "shipped" and _of(row, figure) is not None), None)
        if own is None:
            continue
        best = max(rows, key=lambda row: _of(row, figure) or 0.0)
        if (_of(best, figure) or 0) > (_of(own, figure) or 0):
            found.append(f"{words}: {best.figures['title']} {_shown(best, figure)}, ours {_shown(own, figure)}")
    if found:
        yield "**Ahead of the device:** " + "; ".join(found) + "."
    else:
        yield "**Ahead of the device:** no row in any figure of the tables above."


def _honest(results: Results) -> Iterator[str]:
    named = [row for kind in ("deep", "naming") for row in results.of(kind)]
    parts = []
    for rows, figure, words in (
        (results.of("segmentation"), "red", "red cells at an F1 of"),
        (results.of("segmentation"), "cell", "white cells at a Dice of"),
        (results.of("segmentation"), "nucleus", "nuclei at a Dice of"),
        (named, "five", "five classes right in"),
        (named, "eight", "eight classes right in"),
    ):
        own = next((row for row in rows if row.name == "shipped" and _of(row, figure) is not None), None)
        others = [row for row in rows if row.name != "shipped" and _of(row, figure) is not None]
        if own is not None and others:
            best = max(others, key=lambda row: _of(row, figure) or 0.0)
            parts.append(f"{words} {_shown(best, figure)} (the device {_shown(own, figure)})")
    elsewhere = [row for row in named if _of(row, "elsewhere") is not None]
    if parts and elsewhere:
        best = max(elsewhere, key=lambda row: _of(row, "elsewhere") or 0.0)
        yield (
            "**The honest sentence.** The best of the review's methods in these rows, tuned and taught in minutes, "
            f"reach {', '.join(parts)}; in a laboratory that they have not seen they name at best "
            f"{_shown(best, 'elsewhere')} of the five classes right ({best.figures['title']}). "
            "What the device reaches there is no figure of this page, because its networks have learnt from all of "
            "these laboratories: models/classifier/CARD.md has it from networks that had not, and there it falls too."
        )


def _of(row: Row, figure: str) -> float | None:
    value = row.figures.get(figure)
    return value if isinstance(value, float) else None


def _shown(row: Row, figure: str) -> str:
    value = _of(row, figure)
    return "" if value is None else f"{value:.3f}".replace("0.", ".", 1)
