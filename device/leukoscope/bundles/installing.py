"""From an archive to a bundle in force, by way of every check; whatever stops it, the old one stays in force."""

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from leukoscope.analysis.golden import replay
from leukoscope.bundles.archive import MANIFEST, Archive, read_archive
from leukoscope.bundles.bundle_store import BundleState, BundleStore, Installed, folder_name, read_installed
from leukoscope.bundles.contents import Contents, version_key
from leukoscope.bundles.signing import signer_of
from leukoscope.errors import BundleError, LeukoscopeError, SettingsError
from leukoscope.inference.bundle import Bundle
from leukoscope.inference.engines import EngineSettings
from leukoscope.inference.network import Network
from leukoscope.inference.validation import Validation
from leukoscope.sentence import Sentence, Verbatim
from leukoscope.statistics.laboratories import NamingRecord
from leukoscope.system.assets import find_asset


@dataclass(frozen=True, slots=True)
class InstallRules:
    """What is trusted, and what this board runs."""

    keys: tuple[str, ...]
    """Public keys of those whose bundles are taken."""
    allow_unsigned: bool
    allow_downgrade: bool
    engine: EngineSettings
    software: str
    """The version of leukoscope that runs."""


@dataclass(frozen=True, slots=True)
class Installation:
    """What came of it."""

    name: str
    entry: Installed
    golden: str
    """What the replay on this board gave."""


def install(
    raw: bytes, origin: str, store: BundleStore, rules: InstallRules, now: datetime, near: Path | None = None
) -> Installation:
    """Check an archive, lay it down, replay its golden pair on this board, and put it in force.

    Args:
        raw: the archive.
        origin: where it came from, for errors.
        store: where it goes.
        rules: what is trusted and what runs here.
        now: timezone-aware.
        near: the folder of the settings file.

    Raises:
        BundleError: it is refused, or cannot be written; what was in force stays in force.
        EngineUnavailable: the engine is missing, or cannot load it.
    """
    archive, contents, signer = accept(raw, origin, rules)
    refuse_other_owner(store.folder)
    try:
        with store.installing():
            state = store.state(contents.name)
            _refuse_other_line(contents, archive, state, rules, near)
            folder = store.write(contents, archive)
            entry = Installed(folder=folder, version=contents.version, kind=contents.kind, signed_by=signer, at=now)
            contents.refuse_other_bundle(Bundle.read(store.path_of(contents.name, entry)), origin)
            golden = replay_here(store.path_of(contents.name, entry), rules)
            store.change(contents.name, lambda old: old.with_in_force(entry).pruned())
            store.sweep(contents.name)
    except OSError as error:
        raise _unwritten(store, error) from error
    return Installation(contents.name, entry, golden)


def accept(raw: bytes, origin: str, rules: InstallRules) -> tuple[Archive, Contents, str]:
    """Everything that can be asked of an archive before anything is written.

    Returns:
        What lies in it, what it says of itself, and who signed it.

    Raises:
        BundleError: it is damaged, altered, not trusted, or not for this software or engine.
    """
    archive = read_archive(raw, origin)
    signer = signer_of(archive, rules.keys, origin, allow_unsigned=rules.allow_unsigned)
    contents = Contents.parse(archive.contents, origin)
    contents.refuse_other_files(archive.files, origin)
    contents.refuse_other_software(rules.software, origin)
    if rules.engine.driver not in contents.engines:
        raise BundleError(
            Sentence(
                "{archive} holds no network for engine {engine} (it holds {engines})",
                archive=Verbatim(origin),
                engine=Verbatim(rules.engine.driver),
                engines=", ".join(contents.engines),
            ),
            "change models.engine in the settings, or pack a bundle that has one",
        )
    return archive, contents, signer


def use(store: BundleStore, name: str, version: str, rules: InstallRules) -> str:
    """Put a version in force that is installed already; "shipped" is the one that came with the software.

    Returns:
        What the replay of its golden pair gave; empty for the shipped one.

    Raises:
        BundleError: there is no such version, or it fails its checks; what was in force stays in force.
    """
    refuse_other_owner(store.folder)
    state = store.state(name)
    if version == "shipped":
        find_asset("models", name)
        return _switch(store, name, None, "")
    found = [one for one in state.installed if version in (one.version, one.folder)]
    if not found:
        held = ", ".join(one.version for one in state.installed) or "none"
        raise BundleError(
            Sentence("no {bundle} is installed (installed: {held})", bundle=Verbatim(f"{name} {version}"), held=held),
            "`leukoscope bundle list` shows all",
        )
    return _switch(store, name, found[-1], replay_here(store.path_of(name, found[-1]), rules))


def roll_back(store: BundleStore, name: str) -> str:
    """Put the bundle before in force again; returns its version, or "shipped".

    Raises:
        BundleError: there is none before.
    """
    refuse_other_owner(store.folder)
    state = store.state(name)
    if state.in_force is None:
        raise BundleError(
            Sentence(
                "{name} is the one that came with the software: there is nothing to go back to", name=Verbatim(name)
            ),
            "leukoscope bundle list shows what is in force",
        )
    if state.before is None:
        find_asset("models", name)
    try:
        before = store.change(name, lambda old: old.rolled_back() if old.history else old).in_force
    except OSError as error:
        raise _unwritten(store, error) from error
    return "shipped" if before is None else before.version


def replay_here(folder: Path, rules: InstallRules) -> str:
    """Check an installed version and replay its golden pair with this board's engine.

    Raises:
        BundleError: a file is altered or malformed, or this board decides otherwise than it must.
        EngineUnavailable: the engine cannot load it.
    """
    read_installed(folder, rules.software)
    bundle = Bundle.read(folder)
    validation, facts = bundle.validation_path(), bundle.manifest.classifier
    if validation is not None and facts is not None:
        NamingRecord.read(Validation.read(validation), facts)
    return refuse_other_answers(bundle, rules.engine.open(bundle))


def refuse_other_answers(bundle: Bundle, network: Network) -> str:
    """Replay a golden pair; returns in words what came of it.

    Raises:
        BundleError: this board decides otherwise than it must.
    """
    check = replay(bundle, network)
    text = Sentence(
        "{agreed} of {all} golden decisions, {engine}",
        agreed=check.agreed,
        all=check.decisions,
        engine=Verbatim(network.engine),
    )
    if not check.passed or not check.decisions:
        raise BundleError(
            Sentence(
                "bundle {bundle} does not decide on this board as it must ({text}, {count} surplus)",
                bundle=Verbatim(f"{bundle.manifest.name} {bundle.manifest.version}"),
                text=text,
                count=check.surplus,
            ),
            "choose the other engine, or another version",
        )
    return text


def refuse_other_owner(folder: Path) -> None:
    """Raise where root would leave files that the service, which runs as another user, could not change.

    Raises:
        BundleError: run as root in another user's folder.
    """
    there = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    if hasattr(os, "geteuid") and os.geteuid() == 0 and there.exists() and there.stat().st_uid != 0:
        raise BundleError(
            Sentence("{folder} does not belong to root", folder=Verbatim(there)),
            Sentence("run this as its owner, `sudo -u {owner} …`", owner=Verbatim(there.owner())),
        )


def _switch(store: BundleStore, name: str, entry: Installed | None, golden: str) -> str:
    try:
        store.change(name, lambda old: old.with_in_force(entry))
    except OSError as error:
        raise _unwritten(store, error) from error
    return golden


def _refuse_other_line(
    contents: Contents, archive: Archive, state: BundleState, rules: InstallRules, near: Path | None
) -> None:
    """Raise unless the archive may follow what is in force."""
    label, folder = f"{contents.name} {contents.version}", folder_name(contents, archive)
    if any(one.version == contents.version and one.folder != folder for one in state.installed):
        raise BundleError(
            Sentence("another {bundle} is installed", bundle=Verbatim(label)),
            "give each bundle a version number of its own",
        )
    now = state.in_force
    shipped = None if now is not None else _shipped(contents.name, near)
    line = now or (shipped.manifest if shipped is not None else None)
    if line is None:
        return
    if (
        shipped is not None
        and line.version == contents.version
        and (shipped.folder / MANIFEST).read_bytes() != archive.files[MANIFEST]
    ):
        raise BundleError(
            Sentence("another {bundle} came with the software", bundle=Verbatim(label)),
            "give each bundle a version number of its own",
        )
    if line.kind != contents.kind:
        raise BundleError(
            Sentence(
                "{bundle} is a {kind}, the {name} in force is a {other}",
                bundle=Verbatim(label),
                kind=contents.kind,
                name=Verbatim(contents.name),
                other=line.kind,
            ),
            "give it a name of its own",
        )
    if version_key(contents.version) < version_key(line.version) and not rules.allow_downgrade:
        raise BundleError(
            Sentence(
                "{bundle} is older than {version}, which is in force", bundle=Verbatim(label), version=line.version
            ),
            "say --allow-downgrade if you mean it, or `leukoscope bundle use` where it is installed already",
        )


def _shipped(name: str, near: Path | None) -> Bundle | None:
    try:
        return Bundle.read(find_asset("models", name, near))
    except SettingsError:
        return None


def _unwritten(store: BundleStore, error: OSError) -> LeukoscopeError:
    if isinstance(error, LeukoscopeError):
        return error
    return BundleError(
        Sentence("the bundle cannot be written to {folder} ({why})", folder=Verbatim(store.folder), why=error.strerror),
        "check owner, mount and free space; what was in force stays in force",
    )
