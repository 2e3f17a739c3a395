"""`leukoscope bundle install|list|use|rollback`."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from leukoscope import __version__
from leukoscope.bundles.bundle_store import BundleState, BundleStore, Installed
from leukoscope.bundles.contents import is_bundle_name
from leukoscope.bundles.fetching import fetch, is_url
from leukoscope.bundles.fitted_here import fitted_archive
from leukoscope.bundles.installing import InstallRules, install, roll_back, use
from leukoscope.cli.options import BenchOption, JsonOption
from leukoscope.errors import BundleError, LeukoscopeError
from leukoscope.inference.bundle import Bundle
from leukoscope.settings import BenchSettings
from leukoscope.system.assets import find_asset

bundle_app = typer.Typer(
    help="Install networks, choose which version is in force, or go back. A refused step changes nothing.",
    no_args_is_help=True,
)

NameArgument = Annotated[str, typer.Argument(help='The bundle\'s name, such as "classifier".')]
_NEXT = "in force from the next start of the device"


@bundle_app.command("install")
def install_command(
    source: Annotated[
        str,
        typer.Argument(
            help="An archive: a file, on a stick too, or an http(s) address; or a folder that `leukoscope adapt` wrote."
        ),
    ],
    bench: BenchOption,
    allow_unsigned: Annotated[bool, typer.Option("--allow-unsigned", help="Take a file without a signature.")] = False,
    allow_downgrade: Annotated[
        bool, typer.Option("--allow-downgrade", help="Take a version older than the one in force.")
    ] = False,
) -> None:
    """Check an archive, replay its golden pair on this board, and put it in force."""
    settings = BenchSettings.read(bench)
    rules = _rules(settings, allow_unsigned=allow_unsigned, allow_downgrade=allow_downgrade)
    if is_url(source):
        # An attacker on the way could have put an unsigned one in its place.
        rules = replace(rules, allow_unsigned=False)
    folder, store = Path(source), _store(settings)
    if not is_url(source) and folder.is_dir():
        raw = fitted_archive(folder, settings.models.classifier, store, __version__, bench.parent)
    else:
        raw = fetch(source)
    done = install(raw, source, store, rules, datetime.now(UTC), bench.parent)
    typer.echo(
        f"{done.name} {done.entry.version}, signed by {done.entry.signed_by}: {done.golden}; {_NEXT}"
        f"{_unnamed(settings, done.name)}"
    )


@bundle_app.command("list")
def list_command(
    bench: BenchOption,
    as_json: JsonOption = False,
) -> None:
    """Show every bundle of a bench: what came with the software, what is installed, and which is in force."""
    settings = BenchSettings.read(bench)
    store = _store(settings)
    models = settings.models
    table = Table("bundle", "version", "kind", "state", "signed by", "installed at", "note")
    for name in sorted({models.segmenter, models.classifier, *store.names()}):
        for row in _rows(store, name, bench.parent):
            if as_json:
                typer.echo(json.dumps(row))
            table.add_row(*("" if value is None else str(value) for value in row.values()))
    if not as_json:
        Console().print(table)


@bundle_app.command("use")
def use_command(
    name: NameArgument,
    version: Annotated[str, typer.Argument(help='An installed version, or "shipped": what came with the software.')],
    bench: BenchOption,
) -> None:
    """Put an installed version in force, after its golden pair was replayed."""
    settings = BenchSettings.read(bench)
    golden = use(_store(settings), name, version, _rules(settings))
    typer.echo(f"{name} {version}{': ' if golden else ''}{golden}; {_NEXT}")


@bundle_app.command("rollback")
def rollback_command(name: NameArgument, bench: BenchOption) -> None:
    """Put the version that was in force before in force again."""
    typer.echo(f"{name} {roll_back(_store(BenchSettings.read(bench)), name)}; {_NEXT}")


def _store(settings: BenchSettings) -> BundleStore:
    return BundleStore(settings.storage.bundles, settings.models.keys)


def _rules(settings: BenchSettings, *, allow_unsigned: bool = False, allow_downgrade: bool = False) -> InstallRules:
    models = settings.models
    return InstallRules(
        keys=models.keys,
        allow_unsigned=models.allow_unsigned or allow_unsigned,
        allow_downgrade=models.allow_downgrade or allow_downgrade,
        engine=models.engine,
        software=__version__,
    )


def _unnamed(settings: BenchSettings, name: str) -> str:
    if name in (settings.models.segmenter, settings.models.classifier):
        return ""
    return f", where [models] in the settings names {name}"


def _rows(store: BundleStore, name: str, near: Path) -> Iterator[dict[str, Any]]:
    try:
        state = store.state(name) if is_bundle_name(name) else BundleState()
    except BundleError as error:
        yield _row(name, None, None, "damaged", note=str(error))
        return
    beside = (near / name).exists()
    try:
        manifest = Bundle.read(find_asset("models", name, near)).manifest
    except LeukoscopeError:
        pass
    else:
        in_force = beside or state.in_force is None
        origin = "named by the settings" if beside else "came with the software"
        yield _row(name, manifest.version, manifest.kind, "in force" if in_force else "kept", note=origin)
    for one in state.installed:
        yield _installed_row(name, one, state, beside=beside)


def _installed_row(name: str, one: Installed, state: BundleState, *, beside: bool) -> dict[str, Any]:
    note = state.failed.get(one.folder, "")
    word = "kept"
    if one == state.in_force and not beside:
        word = "in force"
        note = "" if state.confirmed_by == __version__ else "on trial until the device is ready on it"
        note += f"; {state.starts} failed starts" if state.starts else ""
    elif one == state.before:
        word = "before"
    return _row(name, one.version, one.kind, word, one.signed_by, one.at.isoformat(timespec="seconds"), note)


def _row(
    name: str,
    version: str | None,
    kind: str | None,
    state: str,
    signed_by: str | None = None,
    at: str | None = None,
    note: str = "",
) -> dict[str, Any]:
    return {
        "name": name,
        "version": version,
        "kind": kind,
        "state": state,
        "signed_by": signed_by,
        "installed_at": at,
        "note": note,
    }
