"""Measures the methods of the literature beside ours and writes the page about them.

tools/compare_methods                  what is not known yet, then README.md and its pictures; 45 minutes of one core
tools/compare_methods --only hough     rows with this in their kind or name
tools/compare_methods --quick          few cells, two minutes; writes to out/methods and leaves the page alone
tools/compare_methods --page           the page alone, from what is known
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

import warnings
from pathlib import Path
from typing import Annotated

import cv2
import typer
from rich.console import Console

from evaluation.tables import data_folder
from methods.amounts import FULL, QUICK
from methods.bench import Bench
from methods.charts import draw_charts
from methods.page import write_page
from methods.results import Results
from methods.run import all_jobs, measure
from methods.strips import draw_strips

HERE = Path(__file__).parent
OUT = HERE.parents[1] / "out" / "methods"


def main(
    only: Annotated[list[str] | None, typer.Option(help="Rows with this in their kind or name.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Few cells; for tests.")] = False,
    page: Annotated[bool, typer.Option("--page", help="Only write the page.")] = False,
    out: Annotated[Path, typer.Option(help="Where a quick run leaves its rows.")] = OUT,
) -> None:
    """Measure, and write the page."""
    cv2.setNumThreads(1)
    warnings.filterwarnings("ignore", category=UserWarning)
    warnings.filterwarnings("ignore", category=RuntimeWarning)
    console = Console(stderr=True)
    results = Results(out / "quick.json" if quick else HERE / "results.json")
    jobs = list(all_jobs())
    if not page:
        chosen = [job for job in jobs if only is None or any(part in f"{job.kind} {job.name}" for part in only)]
        if not chosen:
            raise typer.BadParameter("no row has this in its kind or name", param_hint="--only")
        measure(chosen, Bench(data_folder(), QUICK if quick else FULL, out), results, console)
    results.keep_only((job.kind, job.name) for job in jobs)
    if not quick:
        write_page(HERE / "README.md", results, [(job.kind, job.name) for job in jobs])
        draw_charts(HERE / "accuracy-time.png", results)
        draw_strips(HERE, results)


if __name__ == "__main__":
    typer.run(main)
