"""Measures the rows that are not known yet, one after the other."""

from collections.abc import Iterable, Iterator

from rich.console import Console

from methods import (
    deep_rows,
    edge_rows,
    marrow_rows,
    naming_rows,
    outlier_rows,
    preprocessing_rows,
    segmentation_rows,
    verdict_rows,
)
from methods.bench import Bench
from methods.jobs import Job
from methods.kinds import NoData
from methods.loading import missing
from methods.results import Results, Row

PARTS = (
    segmentation_rows,
    preprocessing_rows,
    edge_rows,
    deep_rows,
    outlier_rows,
    marrow_rows,
    verdict_rows,
    naming_rows,
)


def all_jobs() -> Iterator[Job]:
    """Every row there is."""
    for part in PARTS:
        yield from part.jobs()


def measure(jobs: Iterable[Job], bench: Bench, results: Results, console: Console) -> None:
    """Measure what is not known yet, and keep each row at once; what cannot be measured says why."""
    waiting = [(job, key) for job in jobs if not results.has(job.kind, job.name, key := job.key(bench.amounts))]
    for number, (job, key) in enumerate(waiting, 1):
        console.print(f"{number} of {len(waiting)}: {job.kind}, {job.name}", highlight=False)
        try:
            row = Row(job.kind, job.name, key, job.measure(bench))
        except ModuleNotFoundError as error:
            row = _without_figures(job, key, missing(error), console)
        except NoData as error:
            row = _without_figures(job, key, str(error), console)
        results.put(row)


def _without_figures(job: Job, key: str, why: str, console: Console) -> Row:
    console.print(f"    {why}", style="yellow", highlight=False)
    return Row(job.kind, job.name, key, note=why)
