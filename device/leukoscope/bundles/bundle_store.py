"""The bundles installed on a device, and for each name which of them is in force."""

import contextlib
import hashlib
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, ValidationError, model_validator

from leukoscope.bundles.archive import CONTENTS, SIGNATURE, Archive
from leukoscope.bundles.contents import BundleName, Contents, Version, is_bundle_name
from leukoscope.bundles.signing import NOBODY, fingerprint
from leukoscope.errors import BundleError, reason_of
from leukoscope.schema import FrozenModel, explain
from leukoscope.system.durable_files import FileLock, LockHeld, sync_folder, write_whole

KEPT = 4
"""Installed versions of one bundle that stay on the disk; the one in force and the one before are never removed."""
FolderName = Annotated[str, Field(pattern=r"^\d{1,6}\.\d{1,6}\.\d{1,6}-[0-9a-f]{16}$")]
_STATE = "state.json"


class Installed(FrozenModel):
    """One installed version."""

    folder: FolderName
    """Version, and the beginning of the sha256 of its contents.json."""
    version: Version
    kind: Literal["segmenter", "classifier"]
    signed_by: str
    """Fingerprint of the key; "nobody" where no signature was checked."""
    at: AwareDatetime
    """When it was installed."""


class BundleState(FrozenModel):
    """`state.json` of one bundle's name; replaced as a whole, so it is always the old one or the new one."""

    schema_version: Literal[1] = 1
    installed: tuple[Installed, ...] = ()
    """Oldest first."""
    history: tuple[FolderName, ...] = ()
    """What was put in force, the one in force last; empty where that is the one that came with the software."""
    starts: Annotated[int, Field(ge=0)] = 0
    """Starts in a row that failed with it, or are under way."""
    confirmed_by: str | None = None
    """Version of leukoscope with which the device became ready on it."""
    failed: Mapping[FolderName, str] = {}
    """Those that were taken out of force by themselves, and why."""

    @model_validator(mode="after")
    def _known(self) -> Self:
        folders = [one.folder for one in self.installed]
        if len(set(folders)) < len(folders) or not {*self.history, *self.failed} <= set(folders):
            raise ValueError("expected every bundle in history and failed among the installed ones, each once")
        return self

    @property
    def in_force(self) -> Installed | None:
        """None for the one that came with the software."""
        return self._entry(self.history[-1]) if self.history else None

    @property
    def before(self) -> Installed | None:
        """What `rolled_back` brings back; None for the one that came with the software."""
        return self._entry(self.history[-2]) if len(self.history) > 1 else None

    def with_in_force(self, entry: Installed | None) -> "BundleState":
        """The state after this one was put in force, on trial; None for the one that came with the software."""
        if entry is None:
            return self.model_copy(update={"history": (), "starts": 0, "confirmed_by": None})
        installed = tuple(one for one in self.installed if one.folder != entry.folder)
        before = tuple(folder for folder in self.history if folder != entry.folder)
        return BundleState(
            installed=(*installed, entry),
            history=(*before, entry.folder),
            failed={folder: why for folder, why in self.failed.items() if folder != entry.folder},
        )

    def rolled_back(self, why: str | None = None) -> "BundleState":
        """The state with the one before in force again; `why` marks the one that is left as failed."""
        failed = self.failed if why is None else {**self.failed, self.history[-1]: why}
        update = {"history": self.history[:-1], "starts": 0, "confirmed_by": None, "failed": failed}
        return self.model_copy(update=update)

    def pruned(self) -> "BundleState":
        """The state without the oldest beyond `KEPT`."""
        needed = set(self.history[-2:])
        spare = [one for one in self.installed if one.folder not in needed]
        gone = {one.folder for one in spare[: max(0, len(self.installed) - KEPT)]}
        return BundleState(
            installed=tuple(one for one in self.installed if one.folder not in gone),
            history=tuple(folder for folder in self.history if folder not in gone),
            starts=self.starts,
            confirmed_by=self.confirmed_by,
            failed={folder: why for folder, why in self.failed.items() if folder not in gone},
        )

    def _entry(self, folder: str) -> Installed:
        return next(one for one in self.installed if one.folder == folder)


class BundleStore:
    """`bundles/` in a bench's storage folder: a folder per name, in it a folder per version and `state.json`."""

    def __init__(self, folder: Path, keys: Sequence[str] | None = None) -> None:
        """The store in a folder.

        Args:
            folder: made when something is installed.
            keys: public keys of those whose bundles may run; None where that is not asked.
        """
        self.folder = folder
        self._trusted = None if keys is None else {fingerprint(key) for key in keys}

    def refuse_revoked(self, name: BundleName, entry: Installed) -> None:
        """Let nothing run whose signer is trusted no more.

        Raises:
            BundleError: its key was taken out of the settings after it was installed.
        """
        if self._trusted is not None and entry.signed_by not in {NOBODY, *self._trusted}:
            raise BundleError(
                f"{name} {entry.version} was signed with the key {entry.signed_by}, which models.keys in the settings "
                "holds no more",
                "install another or roll back (leukoscope bundle), or put the key back",
            )

    def names(self) -> list[str]:
        """Every bundle of which something was installed."""
        return sorted(path.parent.name for path in self.folder.glob(f"*/{_STATE}"))

    def state(self, name: BundleName) -> BundleState:
        """What is installed under a name.

        Raises:
            BundleError: the state cannot be read or is malformed, or no bundle can be called so.
        """
        if not is_bundle_name(name):
            raise BundleError(
                f"no bundle is called {name!r}: expected small letters, digits and dashes",
                "leukoscope bundle list names those that are there",
            )
        path = self.folder / name / _STATE
        try:
            return BundleState.model_validate_json(path.read_bytes())
        except (FileNotFoundError, NotADirectoryError):
            return BundleState()
        except OSError as error:
            raise BundleError(f"{path} cannot be read ({error.strerror})", "check its owner and the disk") from error
        except ValidationError as error:
            raise BundleError(
                f"{path} is damaged ({explain(error)})",
                f"move the folder {path.parent} away, which brings back the "
                "bundle that came with the software, then install yours again",
            ) from error

    def change(self, name: BundleName, change: Callable[[BundleState], BundleState]) -> BundleState:
        """Replace the state of a name; it is on the disk when this returns.

        Raises:
            BundleError: the state is malformed.
            OSError: it cannot be written; the old one stands.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with FileLock(self.folder / ".lock", wait=True):
            old = self.state(name)
            new = change(old)
            if new != old:
                (self.folder / name).mkdir(exist_ok=True)
                write_whole(self.folder / name / _STATE, new.model_dump_json(indent=1).encode())
        return new

    @contextmanager
    def installing(self) -> Iterator[None]:
        """One installation at a time.

        Raises:
            BundleError: another one is under way.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / ".installing")
        try:
            lock.take()
        except LockHeld as held:
            raise BundleError(
                f"another installation is under way in {held.holder}", "wait until it has ended"
            ) from held
        try:
            yield
        finally:
            lock.release()

    def path_of(self, name: BundleName, entry: Installed) -> Path:
        """The folder of an installed version."""
        return self.folder / name / entry.folder

    def write(self, contents: Contents, archive: Archive) -> str:
        """Lay the files of an archive down beside those of other versions, not in force; returns the folder's name.

        Raises:
            OSError: something cannot be written.
        """
        folder = folder_name(contents, archive)
        place = self.folder / contents.name / folder
        signature = {} if archive.signature is None else {SIGNATURE: archive.signature}
        for name, content in {**archive.files, **signature, CONTENTS: archive.contents}.items():
            # The same content may be in force: what is whole is left alone, what is damaged is replaced in one step.
            if not _holds(place / name, content):
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                write_whole(place / name, content)
        sync_folder(place.parent)
        return folder

    def sweep(self, name: BundleName) -> None:
        """Remove what no state names: left by an interrupted installation, or pruned."""
        known = {one.folder for one in self.state(name).installed} | {_STATE}
        for path in (self.folder / name).iterdir():
            if path.name not in known:
                with contextlib.suppress(OSError):
                    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def folder_name(contents: Contents, archive: Archive) -> str:
    """Where an archive goes: its version, and what sets it apart from any other of that version."""
    return f"{contents.version}-{hashlib.sha256(archive.contents).hexdigest()[:16]}"


def read_installed(folder: Path, running: str) -> Contents:
    """The contents of an installed version, after every file of it has been checked.

    Raises:
        BundleError: a file is missing or altered, or it does not work with the version of leukoscope running.
    """
    try:
        raw = (folder / CONTENTS).read_bytes()
        if hashlib.sha256(raw).hexdigest()[:16] != folder.name.rpartition("-")[2]:
            raise BundleError(f"{folder / CONTENTS} is not what was installed", "install the bundle again")
        contents = Contents.parse(raw, str(folder))
        files = {name: (folder / name).read_bytes() for name in contents.files}
        contents.refuse_other_files(files, str(folder), "install the bundle again")
    except OSError as error:
        raise BundleError(f"{folder} cannot be read ({reason_of(error)})", "install the bundle again") from error
    contents.refuse_other_software(running, str(folder))
    return contents


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.read_bytes() == content
    except OSError:
        return False
