"""`leukoscope bundle install|list|use|rollback`."""

import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from leukoscope import __version__
from leukoscope.bundles.bundle_rows import bundle_rows
from leukoscope.bundles.bundle_store import BundleStore
from leukoscope.bundles.fetching import fetch, is_url
from leukoscope.bundles.fitted_here import fitted_archive
from leukoscope.bundles.installing import InstallRules, install, roll_back, use
from leukoscope.cli.answers import say
from leukoscope.cli.options import BenchOption, JsonOption
from leukoscope.cli.printing import plain_console
from leukoscope.sentence import Sentence, Verbatim
from leukoscope.settings import BenchSettings

bundle_app = typer.Typer(
    help="Install networks, choose which version is in force, or go back. A refused step changes nothing.",
    no_args_is_help=True,
)

NameArgument = Annotated[str, typer.Argument(help='The bundle\'s name, such as "classifier".')]


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
    text = Sentence(
        "{name} {version}, signed by {signer}: {golden}; in force from the next start of the device",
        name=Verbatim(done.name),
        version=done.entry.version,
        signer=done.entry.signed_by,
        golden=done.golden,
    )
    if done.name not in (settings.models.segmenter, settings.models.classifier):
        text = Sentence("{text}, where [models] in the settings names {bundle}", text=text, bundle=Verbatim(done.name))
    say(text)


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
    for row in bundle_rows(store, (models.segmenter, models.classifier), bench.parent, __version__):
        shown = asdict(row)
        if as_json:
            typer.echo(json.dumps(shown))
        table.add_row(*("" if value is None else str(value) for value in shown.values()))
    if not as_json:
        plain_console().print(table)


@bundle_app.command("use")
def use_command(
    name: NameArgument,
    version: Annotated[str, typer.Argument(help='An installed version, or "shipped": what came with the software.')],
    bench: BenchOption,
) -> None:
    """Put an installed version in force, after its golden pair was replayed."""
    settings = BenchSettings.read(bench)
    golden = use(_store(settings), name, version, _rules(settings))
    label = Verbatim(f"{name} {version}")
    say(_in_force(Sentence("{bundle}: {golden}", bundle=label, golden=golden) if golden else label))


@bundle_app.command("rollback")
def rollback_command(name: NameArgument, bench: BenchOption) -> None:
    """Put the version that was in force before in force again."""
    version = roll_back(_store(BenchSettings.read(bench)), name)
    say(_in_force(Verbatim(f"{name} {version}")))


def _in_force(bundle: str) -> Sentence:
    return Sentence("{bundle}; in force from the next start of the device", bundle=bundle)


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
