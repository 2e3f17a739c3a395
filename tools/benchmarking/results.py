"""What the benchmark found, as one record for machines and as tables for people."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.table import Table

from benchmarking.clock import Spread
from benchmarking.fields import SIZES
from benchmarking.measuring import Timing
from benchmarking.memory import LIMIT_MB
from benchmarking.stages import STAGES

INT8_SHARE_LIMIT = 0.35
BUNDLE_LIMITS_MB = {"segmenter": 1.0, "classifier": 1.5}


@dataclass(frozen=True, slots=True)
class BundleSize:
    """One network file."""

    bundle: str
    kind: str
    engine: str
    mb: float
    """10^6 bytes."""


@dataclass(frozen=True, slots=True)
class AgainstOther:
    """The other detector's network on one size of fields."""

    size: str
    network: Spread
    """Its network alone: neither resizing nor decoding is counted against it."""
    over_whole: Mapping[str, float]
    """Its median time over that of our whole look, by engine; above 1 ours is faster (processor time)."""
    over_network: Mapping[str, float]
    """The same over our segmenting network alone."""


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that was measured, and where."""

    machine: str
    runtimes: Mapping[str, str]
    """Name and version of each engine's runtime."""
    load: float
    """Processes that wanted a processor on average during the last minute, this one included."""
    timings: Sequence[Timing]
    macs_per_px: float
    peak_gmacs_per_s: float
    peak_by: str
    rss_mb: Mapping[str, float]
    """By engine; empty where it was not measured."""
    bundles: Sequence[BundleSize]
    other: str = ""
    """What was timed beside ours."""
    against: Sequence[AgainstOther] = ()

    def as_json(self) -> dict[str, Any]:
        """For `json.dumps`; the targets and whether they were met included."""
        targets = [dict(zip(("what", "limit", "found", "met"), row, strict=True)) for row in self.targets()]
        return {"threads": 1} | asdict(self) | {"targets": targets}

    def targets(self) -> Iterator[tuple[str, str, str, bool]]:
        """What, limit, found, and whether it was met."""
        limits = {size.key: size for size in SIZES}
        for one in self.timings:
            size = limits[one.size]
            yield (
                f"{size.width}x{size.height}, {one.engine}: whole field, median",
                f"<= {size.limit_ms:g} ms",
                f"{one.whole.wall_p50:.1f} ms (processor {one.whole.cpu_p50:.1f} ms)",
                one.whole.wall_p50 <= size.limit_ms,
            )
        for one in self.timings:
            yield (
                f"{limits[one.size].width}x{limits[one.size].height}, {one.engine}: segmenting network of int8 peak",
                f">= {INT8_SHARE_LIMIT:.0%}",
                f"{one.int8_share:.0%}",
                one.int8_share >= INT8_SHARE_LIMIT,
            )
        for engine, found in self.rss_mb.items():
            yield (
                f"leukoscope run, {engine}: peak memory",
                f"<= {LIMIT_MB:.0f} MB",
                f"{found:.0f} MB",
                found <= LIMIT_MB,
            )
        for file in self.bundles:
            limit = BUNDLE_LIMITS_MB[file.kind]
            yield (
                f"bundle {file.bundle}, {file.engine}: size",
                f"<= {limit:g} MB",
                f"{file.mb:.2f} MB",
                file.mb <= limit,
            )


def tables(results: Results) -> Iterator[Table]:
    """One table of stages per size, the targets, and the other detector."""
    for size in SIZES:
        timings = [one for one in results.timings if one.size == size.key]
        if timings:
            yield _stages_table(str(size), timings)
    yield _targets_table(results)
    if results.against:
        yield _against_table(results)


def _stages_table(title: str, timings: Sequence[Timing]) -> Table:
    table = Table(title=f"{title}: milliseconds, one thread", caption="wall p50 / p95, processor p50 / p95")
    table.add_column("stage")
    for one in timings:
        for column in ("wall", "processor", "share"):
            table.add_column(f"{one.engine} {column}", justify="right")
    for key, what in STAGES.items():
        cells = [text for one in timings for text in _cells(one.stages[key], one.whole)]
        table.add_row(what, *cells, end_section=key == list(STAGES)[-1])
    table.add_row("whole field", *(text for one in timings for text in _cells(one.whole, one.whole)))
    for what, values in (
        ("cells per second", [f"{one.cells_per_s:.0f}" for one in timings]),
        ("cells per field", [f"{one.cells_per_field:.1f}" for one in timings]),
        ("tiles per field", [f"{one.tiles_per_field:.1f}" for one in timings]),
    ):
        table.add_row(what, *(text for value in values for text in (value, "", "")))
    return table


def _cells(spread: Spread, whole: Spread) -> tuple[str, str, str]:
    return (
        f"{spread.wall_p50:.2f} / {spread.wall_p95:.2f}",
        f"{spread.cpu_p50:.2f} / {spread.cpu_p95:.2f}",
        f"{spread.cpu_p50 / whole.cpu_p50:.0%}",
    )


def _targets_table(results: Results) -> Table:
    table = Table(
        title="Targets",
        caption=(
            f"segmenting network: {results.macs_per_px / 1e3:.1f} thousand multiply-accumulates per pixel; int8 peak "
            f"of one core: {results.peak_gmacs_per_s:.0f} thousand million per second ({results.peak_by}, best of all "
            "rounds, ONNX Runtime)"
        ),
    )
    for column in ("what", "limit", "found", "met"):
        table.add_column(column, justify="right" if column == "found" else "left")
    for what, limit, found, met in results.targets():
        table.add_row(what, limit, found, "yes" if met else "[bold]no[/bold]")
    return table


def _against_table(results: Results) -> Table:
    table = Table(
        title=f"Beside {results.other}",
        caption="its network alone, on the same fields, in turns; ratios of processor time, above 1 ours is faster",
    )
    table.add_column("fields")
    for column in ("its wall", "its processor"):
        table.add_column(column, justify="right")
    engines = list(results.against[0].over_whole)
    for engine in engines:
        table.add_column(f"its time / our whole look, {engine}", justify="right")
        table.add_column(f"its time / our network, {engine}", justify="right")
    for one in results.against:
        ratios = [f"{ratio[engine]:.2f}" for engine in engines for ratio in (one.over_whole, one.over_network)]
        wall, processor, _ = _cells(one.network, one.network)
        table.add_row(one.size, wall, processor, *ratios)
    return table
