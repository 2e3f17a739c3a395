"""The networks: are the bundles whole, do they decide as they must, and how fast are they on this board?"""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from leukoscope import __version__
from leukoscope.analysis.golden import GoldenCheck, replay
from leukoscope.bundles.bundle_store import BundleStore
from leukoscope.bundles.startup import FoundBundle, find_bundle
from leukoscope.doctor.finding import Finding, tried
from leukoscope.errors import BundleError, LeukoscopeError
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.engines import EngineSettings
from leukoscope.inference.litert import LitertSettings
from leukoscope.inference.onnx import OnnxSettings
from leukoscope.messages.error_sentence import sentence_of
from leukoscope.sentence import Sentence, Verbatim
from leukoscope.settings import ModelSettings
from leukoscope.system.durable_files import write_whole
from leukoscope.system.host import board_name

ROUNDS = 3
"""The best of so many replays: what else runs on the board only ever makes them slower."""
MUCH_SLOWER = 2.0
"""Times what was remembered or is expected, from which something is wrong with the board."""
WORTH_CHANGING = 0.85
"""The other engine's time as a share of this one's, below which changing is worth a line in the settings."""
_SPEED = "speed.json"


def check_networks(
    models: ModelSettings,
    near: Path | None,
    folder: Path | None,
    store: BundleStore | None = None,
    *,
    remember: bool = False,
) -> Iterator[Finding]:
    """Verify each bundle's files and replay its golden pair.

    Args:
        models: which, and on what.
        near: the folder of the settings file that names them.
        folder: where the speed of this board is remembered; None to compare with nothing.
        store: the bundles this device has of its own; None for those beside the settings and of the software alone.
        remember: write the speed of now there.
    """
    kept = {} if folder is None else _remembered(folder)
    speeds: dict[str, float] = {}

    def replayed(name: str) -> str:
        found = find_bundle(name, near, store, __version__)
        bundle = Bundle.read(found.folder)
        engine, check = _replay(bundle, models.engine)
        text = Sentence(
            "{bundle}, {engine}: {agreed} of {all} golden decisions, {took} ms a run",
            bundle=_with_origin(bundle.manifest.version, found),
            engine=Verbatim(engine),
            agreed=check.agreed,
            all=check.decisions,
            took=f"{check.ms_per_run:.1f}",
        )
        if not check.passed:
            raise BundleError(
                Sentence("{text}, {count} surplus", text=text, count=check.surplus),
                "choose the other engine, or reinstall the bundle",
            )
        key = f"{bundle.manifest.name} {bundle.manifest.version} {models.engine.driver}"
        speeds[key] = check.ms_per_run
        known = [("expected on this board", _expected_ms(bundle, models.engine))]
        if not remember:
            known.append(("when it was installed", kept.get(key)))
        for when, ms in known:
            if ms is not None:
                text = Sentence("{text}, {when} {took} ms", text=text, when=when, took=f"{ms:.1f}")
        if any(ms is not None and check.ms_per_run > MUCH_SLOWER * ms for _, ms in known):
            raise BundleError(text, "see temperature and power, and what else runs here")
        return text

    for name in (models.segmenter, models.classifier):
        yield tried(f"{name}, {models.engine.driver}", partial(replayed, name))
    if remember and folder is not None:
        yield tried("speed", lambda: _remember(folder, kept | speeds))


def check_engines(models: ModelSettings, near: Path, store: BundleStore | None = None) -> str:
    """Which engine is the faster one on this board, for both networks together."""
    other: EngineSettings = LitertSettings() if models.engine.driver == "onnx" else OnnxSettings()
    other = other.model_copy(update={"threads": models.engine.threads})
    names = (models.segmenter, models.classifier)
    bundles = [Bundle.read(find_bundle(name, near, store, __version__).folder) for name in names]
    ours_ms = sum(_replay(bundle, models.engine)[1].ms_per_run for bundle in bundles)
    try:
        checks = [_replay(bundle, other)[1] for bundle in bundles]
    except LeukoscopeError as error:
        return Sentence(
            "{engine} {took} ms a run of both; {other} cannot be compared ({why})",
            engine=Verbatim(models.engine.driver),
            took=f"{ours_ms:.1f}",
            other=Verbatim(other.driver),
            why=sentence_of(error),
        )
    its_ms = sum(check.ms_per_run for check in checks)
    text = Sentence(
        "{engine} {took} ms a run of both, {other} {its} ms",
        engine=Verbatim(models.engine.driver),
        took=f"{ours_ms:.1f}",
        other=Verbatim(other.driver),
        its=f"{its_ms:.1f}",
    )
    if its_ms < WORTH_CHANGING * ours_ms and all(check.passed for check in checks):
        return Sentence(
            '{text}: {other} is faster here; [models.engine] driver = "{other}"',
            text=text,
            other=Verbatim(other.driver),
        )
    return Sentence("{text}: {engine} is a good choice", text=text, engine=Verbatim(models.engine.driver))


def _expected_ms(bundle: Bundle, engine: EngineSettings) -> float | None:
    """What the bundle says of this board; None where it holds no measurement of it."""
    board = board_name()
    for one in bundle.manifest.expected:
        if board.startswith(one.board) and (one.engine, one.threads) == (engine.driver, engine.threads):
            return one.ms_per_run
    return None


def _with_origin(version: str, found: FoundBundle) -> str:
    if not found.installed:
        return Verbatim(version)
    if found.on_trial:
        return Sentence("{version}, installed, on trial", version=version)
    return Sentence("{version}, installed", version=version)


def _replay(bundle: Bundle, engine: EngineSettings) -> tuple[str, GoldenCheck]:
    network = engine.open(bundle)
    checks = [replay(bundle, network) for _ in range(ROUNDS)]
    # A decision that is wrong once is wrong.
    return network.engine, min(checks, key=lambda check: (check.passed, check.ms_per_run))


def _remembered(folder: Path) -> dict[str, float]:
    try:
        content = json.loads((folder / _SPEED).read_text("utf-8"))
        return {str(key): float(ms) for key, ms in content.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _remember(folder: Path, speeds: dict[str, float]) -> str:
    path = folder / _SPEED
    try:
        write_whole(path, json.dumps({key: round(ms, 2) for key, ms in speeds.items()}).encode())
    except OSError as error:
        raise BundleError(
            Sentence("{path} cannot be written: {why}", path=Verbatim(path), why=error.strerror),
            "check the path, its owner and the disk",
        ) from error
    return Sentence("kept in {path}", path=Verbatim(path))
