"""Writes the tables of README.md from the measured rows, between its markers."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from methods.closing import closing
from methods.results import Results, Row

BEGIN = "<!-- rows: written by tools/compare_methods -->"
END = "<!-- end of rows -->"
Shown = Callable[[Row], str]


class Column(NamedTuple):
    """One column of a table."""

    head: str
    show: Shown


class Table(NamedTuple):
    """One table of the page."""

    title: str
    kinds: tuple[str, ...]
    by: str
    """The figure that the rows are sorted by, best first."""
    columns: tuple[Column, ...]


def _share(key: str, other: str | None = None) -> Shown:
    def show(row: Row) -> str:
        parts = [row.figures.get(one) for one in (key, other) if one is not None]
        return " / ".join(f"{part:.3f}".replace("0.", ".", 1) for part in parts if isinstance(part, float))

    return show


def _number(key: str, form: str) -> Shown:
    def show(row: Row) -> str:
        value = row.figures.get(key)
        return format(value, form) if isinstance(value, float | int) else ""

    return show


def _word(key: str) -> Shown:
    return lambda row: str(row.figures.get(key) or "")


def _with_guess(name: str, row: Row) -> str:
    error, guess = row.figures.get(f"count {name}"), row.figures.get(f"guess {name}")
    return f"{error:.1f} ({guess:.1f})" if isinstance(error, float) and isinstance(guess, float) else ""


METHOD = Column("method", lambda row: f"**{_word('title')(row)}**" if "leukoscope" in _title(row) else _title(row))
PAPER = Column("after", _word("paper"))
FIT = Column("min to fit", _number("fit minutes", ".2f"))
KB = Column("kB", _number("kb", ",.0f"))
TABLES = (
    Table(
        "Segmentation and counting",
        ("segmentation",),
        "red",
        (
            METHOD,
            Column("cell Dice", _share("cell")),
            Column("nucleus Dice", _share("nucleus")),
            Column("boundary F1", _share("boundary")),
            Column("red-cell F1", _share("red")),
            Column("count error", _number("count error", ".1f")),
            Column("constant guess", _number("guess error", ".1f")),
            Column("ms a field", _number("ms", ".0f")),
            FIT,
            Column("tuned", _word("parameters")),
            PAPER,
        ),
    ),
    Table(
        "Segmentation by set: Dice of white cells, F1 of red cells at 0.5, count error (constant guess)",
        ("segmentation",),
        "red",
        (
            METHOD,
            Column("krd_wbc Dice", _share("cell krd_wbc")),
            Column("seg_wbc Dice", _share("cell seg_wbc")),
            *(Column(f"{name} F1", _share(f"red {name}")) for name in ("txl", "deepbionet", "aslan", "thesis")),
            *(Column(f"{name} error", partial(_with_guess, name)) for name in ("txl", "deepbionet", "aslan", "thesis")),
        ),
    ),
    Table(
        "Pre-processing, in front of the shipped networks and of Otsu with rules",
        ("preprocessing",),
        "five",
        (
            METHOD,
            Column("five classes, balanced", _share("five", "five balanced")),
            Column("cell Dice", _share("cell")),
            Column("nucleus Dice", _share("nucleus")),
            Column("red-cell F1", _share("red")),
            Column("Otsu: cell Dice", _share("plain cell")),
            Column("nucleus Dice", _share("plain nucleus")),
            Column("red-cell F1", _share("plain red")),
            Column("ms a picture", _number("ms", ".1f")),
            PAPER,
        ),
    ),
    Table(
        "Edges against drawn outlines, boundary F1",
        ("edges",),
        "edge",
        (
            METHOD,
            Column("mean", _share("edge")),
            Column("krd_wbc", _share("edge krd_wbc")),
            Column("seg_wbc", _share("edge seg_wbc")),
            Column("ms a picture", _number("ms", ".1f")),
            Column("tuned", _word("parameters")),
            PAPER,
        ),
    ),
    Table(
        "Naming white cells: networks, and every classifier over every feature set",
        ("deep", "naming"),
        "five",
        (
            METHOD,
            Column("five classes, balanced", _share("five", "five balanced")),
            Column("eight classes, balanced", _share("eight", "eight balanced")),
            Column("blasts, balanced", _share("blast balanced")),
            Column("another laboratory, five", _share("elsewhere")),
            Column("its blasts", _share("blast elsewhere")),
            Column("ms a cell", _number("ms", ".1f")),
            KB,
            FIT,
            PAPER,
        ),
    ),
    Table(
        "Ten stages of maturation, 96x96 patches",
        ("marrow",),
        "ten",
        (
            METHOD,
            Column("accuracy", _share("ten")),
            Column("balanced", _share("ten balanced")),
            Column("macro-F1", _share("ten F1")),
            Column("learnt from", _number("cells", ",.0f")),
            Column("judged on", _number("ten judged", ",.0f")),
            Column("ms a cell", _number("ms", ".1f")),
            FIT,
        ),
    ),
    Table(
        "Cells of unknown classes in a laboratory that was left out",
        ("outliers",),
        "auroc",
        (
            METHOD,
            Column("AUROC", _share("auroc")),
            Column("deepapl", _share("auroc deepapl")),
            Column("pbc", _share("auroc pbc")),
            Column("caught where 5 % of the known are refused", _share("caught")),
            Column("ms a cell", _number("ms", ".1f")),
            FIT,
            PAPER,
        ),
    ),
    Table(
        "Whole fields called leukaemic, taleqani",
        ("verdicts",),
        "sensitivity",
        (
            METHOD,
            Column("sensitivity", _share("sensitivity")),
            Column("specificity", _share("specificity")),
            Column("fields", _number("fields", ".0f")),
            Column("ms a field", _number("ms", ".0f")),
            PAPER,
        ),
    ),
)


def write_page(path: Path, results: Results, wanted: Iterable[tuple[str, str]] = ()) -> None:
    """Write all tables and the closing words between the markers of a page.

    Args:
        path: the page.
        results: what was measured.
        wanted: kind and name of every row there is; those that are missing are counted.

    Raises:
        ValueError: the page has no markers.
    """
    page = path.read_text(encoding="utf-8")
    if BEGIN not in page or END not in page:
        raise ValueError(f"expected {BEGIN} and {END} in {path}")
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    tables = (_markdown(table, results) for table in TABLES)
    written = "\n\n".join([*_missing(results, wanted), *tables, *closing(results)])
    path.write_text(f"{before}{BEGIN}\n{written}\n{END}{after}", encoding="utf-8")


def _missing(results: Results, wanted: Iterable[tuple[str, str]]) -> Iterator[str]:
    """How many rows of each kind are not measured yet, so that a part is not taken for the whole."""
    lacking = Counter(kind for kind, name in wanted if name not in {row.name for row in results.of(kind)})
    if lacking:
        counts = ", ".join(f"{kind} {count}" for kind, count in lacking.items())
        yield f"**Not measured yet** (`./tools/compare_methods` goes on with them): {counts} rows."


def _markdown(table: Table, results: Results) -> str:
    rows = [row for kind in table.kinds for row in results.of(kind)]
    known = sorted((row for row in rows if row.figures), key=lambda row: -_value(row, table.by))
    lines = [
        f"### {table.title}",
        "",
        "| " + " | ".join(column.head for column in table.columns) + " |",
        "|---" + "|---:" * (len(table.columns) - 1) + "|",
    ]
    lines += ["| " + " | ".join(column.show(row) for column in table.columns) + " |" for row in known]
    lines += [f"| {row.name}: {row.note} |" + " |" * (len(table.columns) - 1) for row in rows if not row.figures]
    return "\n".join(lines)


def _value(row: Row, key: str) -> float:
    value = row.figures.get(key)
    if isinstance(value, float):
        return value
    # What does not look for red cells comes after what does, by what it looks for.
    others: Sequence[float] = [one for k in ("cell", "nucleus") if isinstance(one := row.figures.get(k), float)]
    return max(others, default=0.0) - 1


def _title(row: Row) -> str:
    return str(row.figures.get("title", row.name))
