"""Prints how fast and how large the instrument is, with one thread, beside what was promised.

tools/benchmark.py                              both engines, both sizes of field
tools/benchmark.py --against detector.onnx      and any other ONNX detector, in turns with ours
tools/benchmark.py --bench simulated            the loop: frames followed, fields counted, from stop to count
tools/benchmark.py --json                       one JSON object instead of tables
"""

import json
import os
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import cv2
import numpy as np
import typer
from rich.console import Console

from benchmarking.clock import Spread
from benchmarking.fields import SIZES, take_fields
from benchmarking.loop import loop_table, measure_loop
from benchmarking.measuring import Samples, Timing, summarise, take_turns
from benchmarking.memory import peak_rss_mb
from benchmarking.peak import Int8Peak, count_macs
from benchmarking.results import AgainstOther, BundleSize, Results, tables
from benchmarking.rival import Rival
from benchmarking.stages import TimedInstrument
from leukoscope.errors import LeukoscopeError
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.engines import EngineSettings
from leukoscope.inference.litert import LitertSettings
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.service.models import open_models
from leukoscope.settings import ModelSettings
from leukoscope.system.assets import find_asset

LOOP_FIELDS = 24
Engine = Literal["onnx", "litert"]
Size = Literal["small", "large"]


def main(
    segmenter: Annotated[str, typer.Option(help="A segmenter bundle.")] = "segmenter",
    classifier: Annotated[str, typer.Option(help="A classifier bundle.")] = "classifier",
    engine: Annotated[Engine | None, typer.Option(help="One runtime only.")] = None,
    size: Annotated[Size | None, typer.Option(help="One size of field only.")] = None,
    fields: Annotated[int, typer.Option(min=1, help="Fields per size.")] = 4,
    rounds: Annotated[int, typer.Option(min=1, help="Looks at each field.")] = 15,
    seed: Annotated[int, typer.Option(min=0, help="Which simulated slide.")] = 5,
    against: Annotated[Path | None, typer.Option(help="Another ONNX detector to time in turns with ours.")] = None,
    bench: Annotated[Literal["simulated"] | None, typer.Option(help="Time the loop on this bench instead.")] = None,
    memory: Annotated[bool, typer.Option(help="Also measure the memory of `leukoscope run`.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Time every stage, the networks and the memory on this machine."""
    cv2.setNumThreads(1)
    say = Console(stderr=True)
    if bench is not None:
        _time_loop(segmenter, classifier, engine or "onnx", size, seed, as_json=as_json)
        return
    bundles = [Bundle.read(find_asset("models", name)) for name in (segmenter, classifier)]
    engines = {name: one for name, one in _engines().items() if engine in (None, name)}
    rival = None if against is None else Rival(against)
    say.print("One thread: onnxruntime and litert with threads = 1, OpenCV with setNumThreads(1).")
    timed_fields = [take_fields(one, fields, seed) for one in SIZES if size in (None, one.key)]
    instruments = {name: TimedInstrument(bundles[0], bundles[1], one) for name, one in engines.items()}
    peak = Int8Peak()
    samples = take_turns(timed_fields, instruments, rounds, peak, rival)
    macs = _macs_per_px(bundles[0])
    timings = [summarise(looks, key, name, macs, peak) for (key, name), looks in samples.looks.items()]
    results = Results(
        machine=_machine(),
        runtimes={name: one.engine for name, one in instruments.items()},
        load=round(os.getloadavg()[0], 2),
        timings=timings,
        macs_per_px=round(macs, 1),
        peak_gmacs_per_s=round(peak.gmacs_per_s, 1),
        peak_by=peak.by,
        rss_mb=_memory(bundles, engines) if memory else {},
        bundles=[file for bundle in bundles for file in _sizes_on_disk(bundle)],
        other="" if rival is None else _describe(rival),
        against=_compare(samples, timings),
    )
    if as_json:
        print(json.dumps(results.as_json(), ensure_ascii=False))
        return
    out = Console(width=132)
    runtimes = ", ".join(results.runtimes.values())
    out.print(f"{results.machine}; {runtimes}; load {results.load:g} on {os.cpu_count()} processors")
    for table in tables(results):
        out.print(table)


def _time_loop(segmenter: str, classifier: str, engine: Engine, size: Size | None, seed: int, *, as_json: bool) -> None:
    models = open_models(ModelSettings(segmenter=segmenter, classifier=classifier, engine=_engines()[engine]))
    sizes = [one for one in SIZES if size in (None, one.key)]
    measured = [measure_loop(models, one, fields=LOOP_FIELDS, seed=seed) for one in sizes]
    if as_json:
        print(json.dumps({"machine": _machine(), "loop": [asdict(one) for one in measured]}, ensure_ascii=False))
        return
    out = Console(width=132)
    out.print(f"{_machine()}; {engine}, one thread; processor time, wall time in brackets")
    out.print(loop_table(measured))


def _engines() -> dict[str, EngineSettings]:
    return {"onnx": OnnxSettings(threads=1), "litert": LitertSettings(threads=1)}


def _macs_per_px(bundle: Bundle) -> float:
    rows, cols = bundle.manifest.input.rows, bundle.manifest.input.cols
    return count_macs(bundle.network_path("onnx"), np.zeros((1, 3, rows, cols), dtype=np.float32)) / (rows * cols)


def _memory(bundles: Sequence[Bundle], engines: Mapping[str, EngineSettings]) -> dict[str, float]:
    found = {name: peak_rss_mb(bundles[0].folder, bundles[1].folder, name) for name in engines}
    return {name: round(mb, 1) for name, mb in found.items() if mb is not None}


def _sizes_on_disk(bundle: Bundle) -> list[BundleSize]:
    manifest = bundle.manifest
    return [
        BundleSize(manifest.name, manifest.kind, name, round(bundle.network_path(name).stat().st_size / 1e6, 3))
        for name in manifest.files
    ]


def _describe(rival: Rival) -> str:
    return f"{rival.path.name}, input {'x'.join(map(str, rival.shape))}, {rival.macs / 1e6:.1f} million MAC"


def _compare(samples: Samples, timings: Sequence[Timing]) -> list[AgainstOther]:
    compared = []
    for key, times in samples.rival.items():
        its = Spread.of(times)
        ours = [one for one in timings if one.size == key]
        compared.append(
            AgainstOther(
                key,
                its,
                {one.engine: round(its.cpu_p50 / one.whole.cpu_p50, 3) for one in ours},
                {one.engine: round(its.cpu_p50 / one.stages["network"].cpu_p50, 3) for one in ours},
            )
        )
    return compared


def _machine() -> str:
    """What this machine calls its processor."""
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text("utf-8").splitlines() if listing.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith(("model name", "Model"))]
    return f"{names[0] if names else platform.processor() or 'unknown processor'}, {platform.machine()}"


if __name__ == "__main__":
    try:
        typer.run(main)
    except LeukoscopeError as error:
        Console(stderr=True).print(f"benchmark: {error}", markup=False)
        sys.exit(2)
