"""The folder of a site: its authority, its broker, and a folder to carry to each holder of a certificate."""

import os
import pwd
import re
import secrets
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import tomli_w

from leukoscope.errors import SettingsError
from leukoscope_collector.provisioning.authority import Authority, write_secret
from leukoscope_collector.provisioning.broker_files import write_configuration, write_rules

_DEVICE = re.compile(r"[a-z0-9][a-z0-9-]{0,62}/[a-z0-9][a-z0-9-]{0,62}")
_PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")

_NOTE_ON_GROUP = (
    "# Keep the name of the group secret: mosquitto lets anyone who knows it join, and then lose its share of the"
    " messages.\n"
)
_FOR_BROWSERS = "# For the bench file of the device, or for collector.toml; browsers have to trust ca.pem.\n"
_FOR_SENDING = "# For `leukoscope-collector send SITE/DEVICE COMMAND --settings` and this file.\n"


def tls_from(at: Path) -> dict[str, Any]:
    """The TLS settings of a client whose folder lies at `at`."""
    return {
        "tls": True,
        "ca_file": str(at / "ca.pem"),
        "client_cert": str(at / "cert.pem"),
        "client_key": str(at / "key.pem"),
    }


class Site:
    """What is there stays as it is; what is missing is made."""

    def __init__(self, folder: Path, *, hosts: list[str], port: int, days: int, now: datetime) -> None:
        """Open a site's folder, or begin one.

        Args:
            folder: where everything goes.
            hosts: names and addresses of the broker; clients connect to the first. Needed the first time.
            port: where the broker listens.
            days: how long certificates are valid.
            now: timezone-aware.

        Raises:
            SettingsError: no host is known, or the folder cannot be used.
        """
        self._folder = folder.resolve()
        self._days = days
        self._port = port
        self.authority = Authority(self._folder / "authority", now=now)
        self._broker = self._folder / "broker"
        self._certify_broker(hosts)

    def _certify_broker(self, hosts: list[str]) -> None:
        known = self._broker / "hosts"
        if not hosts and not known.exists():
            raise SettingsError("expected --host", "the name or address under which devices reach the broker")
        if not hosts:
            hosts = known.read_text().split()
        self._hosts = hosts
        self._certify(self._broker, "broker", hosts)

    def _certify(self, folder: Path, name: str, hosts: list[str]) -> None:
        """A server's certificate, anew where its hosts are others than before."""
        known = folder / "hosts"
        if not known.exists() or known.read_text().split() != hosts:
            for file in ("key.pem", "cert.pem"):
                (folder / file).unlink(missing_ok=True)
        if not (folder / "cert.pem").exists():
            self.authority.issue(folder, name, days=self._days, hosts=hosts)
            known.write_text("\n".join(hosts) + "\n")

    def add_web(self, name: str, hosts: list[str], installed_at: Path | None) -> Path:
        """The folder with the certificate of a review page, and the lines for the settings file it is served by.

        Args:
            name: of a device as `clinic/scope-1`, or of a collector.
            hosts: names and addresses that people type into their browser to reach it.
            installed_at: where the holder's folder will lie, with this one as `web` in it; None: where it is made.

        Raises:
            SettingsError: no device or collector has that name, or no host was named.
        """
        if not any((self._folder / kind / name / "cert.pem").exists() for kind in ("devices", "collectors")):
            raise SettingsError(f"--web: no device or collector here is called {name!r}", "add it with --device first")
        if not all(hosts):
            raise SettingsError(f"--web: no host for {name}", f"expected {name}=HOST, which browsers reach the page by")
        folder = self._folder / "web" / name
        self._certify(folder, hosts[0], hosts)
        at = folder if installed_at is None else installed_at / "web"
        served = {"host": "0.0.0.0", "port": 8443}  # noqa: S104
        web = {**served, "certificate": str(at / "cert.pem"), "key": str(at / "key.pem")}
        (folder / "web.toml").write_text(_FOR_BROWSERS + tomli_w.dumps({"web": web}))
        return folder

    def add_device(self, name: str, installed_at: Path | None) -> Path:
        """The folder for a device `SITE/DEVICE`, with the lines for its bench file.

        Args:
            name: as `clinic/scope-1`.
            installed_at: where the folder will lie on the device; None: where it is made.

        Raises:
            SettingsError: the name will not do.
        """
        if not _DEVICE.fullmatch(name):
            raise SettingsError(
                f"expected a device as clinic/scope-1 (a-z, 0-9, dash), found {name!r}", "write it as SITE/DEVICE"
            )
        folder = self._holder("devices", name)
        (folder / "reporting.toml").write_text(self._reporting(installed_at or folder))
        return folder

    def add_collector(self, name: str) -> Path:
        """The folder for a collector, with its settings file.

        Raises:
            SettingsError: the name will not do.
        """
        folder = self._holder("collectors", _person(name))
        file = folder / "collector.toml"
        if not file.exists():
            write_secret(file, self._collector(name, folder).encode())
        return folder

    def _group(self) -> str:
        """The name under which this site's collectors share the reports; no outsider can guess it."""
        file = self._folder / "authority" / "collectors"
        if not file.exists():
            write_secret(file, f"collectors-{secrets.token_hex(16)}\n".encode())
        return file.read_text().strip()

    def add_operator(self, name: str) -> Path:
        """The folder for an operator, who may send commands, with the settings file for sending them.

        Raises:
            SettingsError: the name will not do.
        """
        folder = self._holder("operators", _person(name))
        file = folder / "operator.toml"
        if not file.exists():
            settings = tomli_w.dumps({"name": name, "broker": self._client(folder)})
            write_secret(file, f"{_FOR_SENDING}{settings}".encode())
        return folder

    def revoke(self, name: str) -> None:
        """The holder's certificate counts no more, and its folder is gone.

        Raises:
            SettingsError: no holder has that name.
        """
        for kind in ("devices", "collectors", "operators"):
            folder = self._folder / kind / name
            if (folder / "cert.pem").exists():
                for certified in (folder, self._folder / "web" / name):
                    if (certified / "cert.pem").exists():
                        self.authority.revoke(certified / "cert.pem")
                        shutil.rmtree(certified)
                if kind == "devices":
                    names = sorted({*self._revoked(), name})
                    self._revoked_file.write_text("".join(f"{one}\n" for one in names))
                return
        raise SettingsError(f"nobody here is called {name}", "list shows who is")

    def write_broker(self, *, user: str, autosave_s: int) -> Path:
        """The broker's configuration and rules as things are now.

        Returns:
            The configuration file.

        Raises:
            SettingsError: there is no such user.
        """
        shutil.copyfile(self.authority.revoked_file, self._broker / "revoked.pem")
        write_configuration(self._broker, port=self._port, user=user, autosave_s=autosave_s)
        devices = self._names("devices")
        write_rules(
            self._broker,
            collectors=self._names("collectors"),
            operators=self._names("operators"),
            revoked=[name for name in self._revoked() if name not in devices],
        )
        self._give_to(user)
        return self._broker / "mosquitto.conf"

    def _give_to(self, user: str) -> None:
        if os.getuid() != 0:
            return
        try:
            owner = pwd.getpwnam(user)
        except KeyError as error:
            raise SettingsError(
                f"there is no user {user} for the broker to run as", "create it, or name another with --broker-user"
            ) from error
        for path in (self._broker, *self._broker.rglob("*")):
            os.chown(path, owner.pw_uid, owner.pw_gid)

    def _holder(self, kind: str, name: str) -> Path:
        folder = self._folder / kind / name
        for other in _KINDS:
            if other != kind and (self._folder / other / name).exists():
                raise SettingsError(f"{name} is already one of the {other}", "choose another name")
        if not (folder / "cert.pem").exists():
            self.authority.issue(folder, name, days=self._days)
        return folder

    def _reporting(self, at: Path) -> str:
        """A device's lines for its bench file, when its folder lies at `at`."""
        return tomli_w.dumps({"reporting": {"driver": "mqtt", **self._client(at), "needs_reader": True}})

    def _collector(self, name: str, at: Path) -> str:
        """A collector's settings file."""
        settings = {
            "name": name,
            "group": self._group(),
            "broker": self._client(at),
            "store": {"driver": "sqlite", "file": str(at / "reports.sqlite3")},
        }
        return _NOTE_ON_GROUP + tomli_w.dumps(settings)

    def _client(self, at: Path) -> dict[str, Any]:
        """How the holder of the folder at `at` reaches the broker."""
        return {"host": self._hosts[0], "port": self._port, **tls_from(at)}

    @property
    def _revoked_file(self) -> Path:
        return self._folder / "authority" / "revoked-devices"

    def _revoked(self) -> list[str]:
        """Devices that were revoked, also those that have another certificate now."""
        return self._revoked_file.read_text().split() if self._revoked_file.exists() else []

    def _names(self, kind: str) -> list[str]:
        """The holders of a kind who have a certificate, sorted."""
        folder = self._folder / kind
        return sorted(str(file.parent.relative_to(folder)) for file in folder.rglob("cert.pem"))


_KINDS = ("devices", "collectors", "operators")


def _person(name: str) -> str:
    if not _PERSON.fullmatch(name):
        raise SettingsError(
            f"expected a name of letters, digits, dots and dashes, found {name!r}", "choose another name"
        )
    return name
