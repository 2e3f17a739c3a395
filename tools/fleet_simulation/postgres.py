"""A PostgreSQL of one's own in a temporary folder, that can be stopped and started again."""

import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from leukoscope.errors import LeukoscopeError

_INSTALLED = "/usr/lib/postgresql"


class ServerError(LeukoscopeError, RuntimeError):
    """A server that a simulation needs is missing or did not start."""

    def __init__(self, happened: str, todo: str = "install it, or see what it printed") -> None:
        super().__init__(happened, todo)


class ScratchPostgres:
    """A cluster that listens at a Unix socket only; PostgreSQL refuses root, so it runs as another user there."""

    def __init__(self, folder: Path | None = None, *, durable: bool = True) -> None:
        """Make the cluster.

        Args:
            folder: to be made, in one that every user may pass through; it stays. None: a temporary one, that goes.
            durable: False does without fsync, for tests that ask nothing of the disk.

        Raises:
            ServerError: PostgreSQL is not installed or initdb fails.
        """
        self._bin = find_programs()
        self._user = unprivileged()
        self._stays = folder is not None
        self.folder = scratch_folder(folder, "leukoscope-pg-")
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        self._data = self.folder / "data"
        self._run("initdb", "-D", self._data, "-U", "leukoscope", "-A", "trust", "-N", "--no-locale", "-E", "UTF8")
        lines = ["listen_addresses = ''", f"unix_socket_directories = '{self.folder}'", "track_commit_timestamp = on"]
        if not durable:
            lines += ["fsync = off", "synchronous_commit = off", "full_page_writes = off"]
        with (self._data / "postgresql.conf").open("a") as file:
            file.write("\n".join(lines) + "\n")

    @property
    def conninfo(self) -> str:
        """How libpq reaches it."""
        return f"host={self.folder} dbname=postgres user=leukoscope"

    def start(self) -> Self:
        """Start it and wait until it answers.

        Raises:
            ServerError: it does not.
        """
        self._run("pg_ctl", "-D", self._data, "-l", self.folder / "log", "-w", "-t", "60", "start")
        return self

    def stop(self) -> None:
        """Stop it at once, as a crash does; what was committed is there at the next start."""
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if (self._data / "postmaster.pid").exists():
            self.stop()
        if not self._stays:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _run(self, program: str, *arguments: object) -> None:
        who: dict[str, Any] = {}
        if self._user is not None:
            who = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        command = [str(self._bin / program), *map(str, arguments)]
        # pg_ctl's server inherits the output: a pipe would never end.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(command, cwd=self.folder, stdout=output, stderr=subprocess.STDOUT, check=False, **who)
            if done.returncode:
                output.seek(0)
                raise ServerError(f"{program} failed: {' '.join(output.read().split())[-500:]}")


def find_programs() -> Path:
    """The folder of PostgreSQL's programs; Debian keeps initdb where a user's PATH does not look.

    Raises:
        ServerError: there is none.
    """
    folders = sorted(Path(_INSTALLED).glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists():
            return folder
    found = shutil.which("initdb")
    if found is None:
        raise ServerError("no PostgreSQL found: apt-get install postgresql")
    return Path(found).resolve().parent


def scratch_folder(folder: Path | None, prefix: str) -> Path:
    """Make the folder that is asked for, or one among the system's temporary files."""
    if folder is None:
        return Path(tempfile.mkdtemp(prefix=prefix))
    folder.mkdir(mode=0o700)
    return folder


def unprivileged() -> pwd.struct_passwd | None:
    """Whom to run as, since PostgreSQL refuses root; None: as ourselves.

    Raises:
        ServerError: this runs as root and there is no other user to run PostgreSQL.
    """
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ServerError("PostgreSQL does not run as root, and there is no user postgres or nobody")
