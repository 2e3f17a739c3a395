"""Every bundle of a bench in a list: what came with the software, what is installed, and which is in force."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from leukoscope.bundles.bundle_store import BundleState, BundleStore, Installed
from leukoscope.bundles.contents import is_bundle_name
from leukoscope.errors import BundleError, LeukoscopeError
from leukoscope.inference.bundle import Bundle
from leukoscope.system.assets import find_asset

SHIPPED = "came with the software"


@dataclass(frozen=True, slots=True)
class BundleRow:
    """One version of one bundle."""

    name: str
    version: str | None
    kind: str | None
    state: str
    """"in force", "before" (what a rollback brings back), "kept" or "damaged"."""
    signed_by: str | None = None
    installed_at: str | None = None
    """ISO 8601; None for what was not installed."""
    note: str = ""


def bundle_rows(store: BundleStore, named: Sequence[str], near: Path, software: str) -> Iterator[BundleRow]:
    """The bundles of a bench, by name.

    Args:
        store: where others were installed.
        named: bundles that the settings name.
        near: the folder of the settings file.
        software: the version that runs.
    """
    for name in sorted({*named, *store.names()}):
        yield from _rows(store, name, near, software)


def _rows(store: BundleStore, name: str, near: Path, software: str) -> Iterator[BundleRow]:
    try:
        state = store.state(name) if is_bundle_name(name) else BundleState()
    except BundleError as error:
        yield BundleRow(name, None, None, "damaged", note=str(error))
        return
    beside = (near / name).exists()
    try:
        manifest = Bundle.read(find_asset("models", name, near)).manifest
    except LeukoscopeError:
        pass
    else:
        in_force = beside or state.in_force is None
        origin = "named by the settings" if beside else SHIPPED
        yield BundleRow(name, manifest.version, manifest.kind, "in force" if in_force else "kept", note=origin)
    for one in state.installed:
        yield _installed_row(name, one, state, software, beside=beside)


def _installed_row(name: str, one: Installed, state: BundleState, software: str, *, beside: bool) -> BundleRow:
    note = state.failed.get(one.folder, "")
    word = "kept"
    if one == state.in_force and not beside:
        word = "in force"
        note = "" if state.confirmed_by == software else "on trial until the device is ready on it"
        failed = f"{state.starts} failed starts" if state.starts else ""
        note = "; ".join(filter(None, (note, failed)))
    elif one == state.before:
        word = "before"
    return BundleRow(name, one.version, one.kind, word, one.signed_by, one.at.isoformat(timespec="seconds"), note)
