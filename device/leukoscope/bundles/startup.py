"""One start of the device: which bundles it runs on, and the way back from one that does not let it start."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from leukoscope.bundles.bundle_store import BundleState, BundleStore, read_installed
from leukoscope.bundles.contents import is_bundle_name
from leukoscope.errors import LeukoscopeError, SettingsError
from leukoscope.system.assets import find_asset

MOST_FAILED_STARTS = 3
"""Failed starts in a row after which the bundle before comes back."""

_log = logging.getLogger("leukoscope")


@dataclass(frozen=True, slots=True)
class FoundBundle:
    """Where a bundle lies, and by what right it is the one."""

    folder: Path
    installed: bool
    """It was installed on this device; otherwise the settings name it, or it came with the software."""
    on_trial: bool = False
    """The device has not yet been ready on it with this version of the software."""


def find_bundle(name: str, near: Path | None, store: BundleStore | None, software: str) -> FoundBundle:
    """The bundle a name stands for: beside the settings file, then installed, then as it came with the software.

    Raises:
        SettingsError: it is in none of these places.
        BundleError: the installed one is altered, or does not work with this version of the software.
    """
    state = _installed(name, near, store)
    return _found(name, near, store, state, software)


class Startup:
    """Counts starts, so that a bundle that crashes or fails its check three times is rolled back by itself.

    A bundle is on trial until the device was ready on it with the version of leukoscope that runs: its start is
    counted before it is opened, so that a crash counts too, and the count is taken back when something else kept the
    device from getting ready. Of a bundle not on trial only failures to open it are counted.
    """

    def __init__(self, near: Path | None, software: str, store: BundleStore | None = None) -> None:
        """Begin a start.

        Args:
            near: the folder of the settings file.
            software: the version of leukoscope that runs.
            store: installed bundles; None where there is no bench and nothing is counted.
        """
        self._near, self._software, self._store = near, software, store
        self._unconfirmed: dict[str, bool] = {}
        """Bundles that were opened and wait for the device to be ready, and whether this start was counted."""
        self.warnings: list[str] = []
        """What a technician should know about it."""

    @contextmanager
    def opening(self, name: str) -> Iterator[FoundBundle]:
        """The bundle to open; what goes wrong inside is counted against it.

        Raises:
            LeukoscopeError: as `find_bundle`.
        """
        state = self._rolled_back(name, _installed(name, self._near, self._store))
        on_trial = state.in_force is not None and state.confirmed_by != self._software
        if on_trial:
            self._change(name, _one_more)
        try:
            yield _found(name, self._near, self._store, state, self._software)
        except Exception:
            if state.in_force is not None and not on_trial:
                self._change(name, _one_more)
            raise
        if on_trial or state.starts:
            self._unconfirmed[name] = on_trial

    def confirm(self) -> None:
        """The device is ready."""
        for name in self._unconfirmed:
            self._change(name, self._confirmed)
        self._unconfirmed.clear()

    def forgive(self) -> None:
        """The start ends in an orderly way: whatever kept the device from getting ready was not a bundle."""
        for name, counted in self._unconfirmed.items():
            if counted:
                self._change(name, _one_less)
        self._unconfirmed.clear()

    def _rolled_back(self, name: str, state: BundleState) -> BundleState:
        """The state after everything that has failed often enough was taken out of force."""
        while state.in_force is not None and state.starts >= MOST_FAILED_STARTS and self._way_back(name, state):
            left, before = state.in_force, state.before
            back = "the one that came with the software" if before is None else before.version
            warnings = f"{name} {left.version} failed {state.starts} starts, {back} is back in force"
            _log.error("%s", warnings)
            self.warnings.append(warnings)
            # What cannot be written holds for this start all the same.
            state = state.rolled_back(f"failed {state.starts} starts")
            self._change(name, lambda _, new=state: new)  # type: ignore[misc]
        return state

    def _way_back(self, name: str, state: BundleState) -> bool:
        if state.before is not None:
            return True
        try:
            find_asset("models", name, self._near)
        except SettingsError:
            return False
        return True

    def _confirmed(self, state: BundleState) -> BundleState:
        return state.model_copy(update={"starts": 0, "confirmed_by": self._software})

    def _change(self, name: str, change: Callable[[BundleState], BundleState]) -> None:
        if self._store is None:
            return
        try:
            self._store.change(name, change)
        except (OSError, LeukoscopeError) as error:
            # A full disk must not keep the device from starting on a sound bundle.
            _log.warning("starts of bundle %s cannot be counted: %s", name, error)
            self.warnings.append(f"Starts of bundle {name} cannot be counted: is the disk full?")


def _installed(name: str, near: Path | None, store: BundleStore | None) -> BundleState:
    """What is installed under a name that is looked up there."""
    if store is None or not is_bundle_name(name) or (near is not None and (near / name).exists()):
        return BundleState()
    return store.state(name)


def _found(name: str, near: Path | None, store: BundleStore | None, state: BundleState, software: str) -> FoundBundle:
    if store is None or state.in_force is None:
        return FoundBundle(find_asset("models", name, near), installed=False)
    store.refuse_revoked(name, state.in_force)
    folder = store.path_of(name, state.in_force)
    read_installed(folder, software)
    return FoundBundle(folder, installed=True, on_trial=state.confirmed_by != software)


def _one_more(state: BundleState) -> BundleState:
    return state.model_copy(update={"starts": state.starts + 1})


def _one_less(state: BundleState) -> BundleState:
    return state.model_copy(update={"starts": max(0, state.starts - 1)})
