"""Two PostgreSQL with a synchronous standby on loopback; Patroni promotes it, and etcd holds the vote."""

import json
import os
import secrets
import shutil
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg

from fleet_simulation.postgres import ServerError, find_programs, scratch_folder, unprivileged
from fleet_simulation.servers import HOST, Program, free_port

_START_S = 240.0
_CONFIGURATION = """\
scope: leukoscope
name: db{number}
restapi:
  listen: {host}:{api}
  connect_address: {host}:{api}
etcd3:
  host: {host}:{etcd}
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 5
    retry_timeout: 5
    maximum_lag_on_failover: 0
    # The standby confirms every commit, and no other is promoted; without a standby the primary goes on alone.
    synchronous_mode: true
    postgresql:
      use_pg_rewind: true
      parameters:
        synchronous_commit: 'on'
        wal_log_hints: 'on'
        track_commit_timestamp: 'on'
        max_connections: 60
        shared_buffers: 64MB
  initdb:
  - encoding: UTF8
  - data-checksums
postgresql:
  listen: {host}:{port}
  connect_address: {host}:{port}
  bin_dir: {programs}
  data_dir: {data}
  pgpass: {folder}/pgpass
  parameters:
    unix_socket_directories: '{folder}'
  pg_hba:
  - local all all scram-sha-256
  - host all all {host}/32 scram-sha-256
  - host replication replicator {host}/32 scram-sha-256
  authentication:
    superuser: {{username: leukoscope, password: {password}}}
    replication: {{username: replicator, password: {password}}}
    rewind: {{username: rewinder, password: {password}}}
"""


class ScratchPatroni:
    """etcd and two databases, in a folder."""

    def __init__(self, folder: Path | None = None) -> None:
        """Write the configuration.

        Args:
            folder: to be made, in one that every user may pass through; it stays. None: a temporary one, that goes.

        Raises:
            ServerError: Patroni, etcd or PostgreSQL is not installed.
        """
        for program, package in (("patroni", "patroni"), ("etcd", "etcd-server")):
            if shutil.which(program) is None:
                raise ServerError(f"no {program} found: apt-get install {package}")
        user = unprivileged()
        self._stays = folder is not None
        self.folder = scratch_folder(folder, "leukoscope-ha-")
        password = secrets.token_hex(16)
        etcd, peer = free_port(), free_port()
        self.ports = [free_port(), free_port()]
        self._apis = [free_port(), free_port()]
        self.password_file = self.folder / "password"
        self.password_file.write_text(password)
        self._etcd = Program(
            [
                "etcd",
                *("--data-dir", str(self.folder / "etcd")),
                *("--listen-client-urls", f"http://{HOST}:{etcd}", "--advertise-client-urls", f"http://{HOST}:{etcd}"),
                *(
                    "--listen-peer-urls",
                    f"http://{HOST}:{peer}",
                    "--initial-advertise-peer-urls",
                    f"http://{HOST}:{peer}",
                ),
                *("--initial-cluster", f"default=http://{HOST}:{peer}"),
                *("--heartbeat-interval", "500", "--election-timeout", "5000", "--log-level", "error"),
            ],
            self.folder / "etcd.log",
        )
        self.nodes = []
        for number, (port, api) in enumerate(zip(self.ports, self._apis, strict=True)):
            folder = self.folder / f"db{number}"
            folder.mkdir()
            file = folder / "patroni.yml"
            file.write_text(
                _CONFIGURATION.format(
                    number=number,
                    host=HOST,
                    api=api,
                    etcd=etcd,
                    port=port,
                    programs=find_programs(),
                    data=folder / "data",
                    folder=folder,
                    password=password,
                )
            )
            # PostgreSQL refuses root.
            command = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"] if user else []
            self.nodes.append(DatabaseNode([*command, "patroni", str(file)], folder / "log"))
        if user is not None:
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, user.pw_uid, user.pw_gid)

    @property
    def conninfo(self) -> str:
        """How libpq finds the primary, whichever it is; the password is in `password_file`."""
        hosts, ports = ",".join([HOST] * len(self.ports)), ",".join(map(str, self.ports))
        return f"host={hosts} port={ports} dbname=postgres user=leukoscope target_session_attrs=read-write"

    @property
    def store(self) -> dict[str, str]:
        """The lines of a collector's settings."""
        return {"driver": "postgresql", "conninfo": self.conninfo, "password_file": str(self.password_file)}

    def connect(self) -> psycopg.Connection:
        """To the primary."""
        return psycopg.connect(
            self.conninfo, password=self.password_file.read_text(), autocommit=True, connect_timeout=5
        )

    def kill_primary(self) -> int:
        """kill -9 of the primary, its Patroni and all; its number.

        Raises:
            ServerError: no node calls itself that in time.
        """
        until = time.monotonic() + _START_S
        while time.monotonic() < until:
            for number, api in enumerate(self._apis):
                if _role(api) in ("master", "primary"):
                    self.nodes[number].kill()
                    return number
            time.sleep(0.2)
        raise ServerError("no database is the primary")

    def wait_for_primary(self, timeout_s: float = _START_S) -> None:
        """Until a node takes writes.

        Raises:
            ServerError: no node does in time.
        """
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            with suppress(psycopg.Error), self.connect():
                return
            time.sleep(0.2)
        raise ServerError("no database takes writes")

    def wait_for_standby(self, timeout_s: float = _START_S) -> None:
        """Until the standby confirms commits and Patroni would promote it, which it does some seconds later only.

        Raises:
            ServerError: it does not in time.
        """
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            if any("sync_standby" in _roles(api) for api in self._apis):
                return
            time.sleep(0.5)
        raise ServerError(f"no standby confirms: {' '.join(node.last_words for node in self.nodes)}")

    def __enter__(self) -> Self:
        try:
            self._etcd.start()
            for node in self.nodes:
                node.start()
            self.wait_for_standby()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        for node in self.nodes:
            node.kill()
        self._etcd.stop()
        if not self._stays:
            shutil.rmtree(self.folder, ignore_errors=True)


class DatabaseNode(Program):
    """A Patroni and its PostgreSQL, killed together as a machine is."""

    own_group = True

    def kill(self) -> None:
        """kill -9 of both; PostgreSQL has a process group of its own."""
        super().kill()
        with suppress(OSError, ValueError):
            pid = int((self.log.parent / "data" / "postmaster.pid").read_text().split()[0])
            children = _children(pid)
            # The first: it would take the death of a child for a crash, recover, and be the primary again.
            os.kill(pid, 9)
            for child in children:
                with suppress(ProcessLookupError):
                    os.kill(child, 9)


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _role(api: int) -> str | None:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{api}/patroni", timeout=2) as answer:
            return str(json.load(answer).get("role"))
    except (OSError, ValueError):
        return None


def _roles(api: int) -> list[str]:
    """Of all databases, as one of them has it from etcd."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{api}/cluster", timeout=2) as answer:
            return [str(member.get("role")) for member in json.load(answer)["members"]]
    except (OSError, ValueError, KeyError):
        return []
