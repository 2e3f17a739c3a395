"""Where an MQTT broker is and how a client proves who it is; for the device and for the collector."""

import os
import ssl
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from leukoscope.errors import BrokerError
from leukoscope.schema import FrozenModel, text_of

HostAndPort = Annotated[str, StringConstraints(pattern=r"^[^\s:]+(:[0-9]{1,5})?$", max_length=259)]


class BrokerSettings(FrozenModel):
    """A broker, and the credentials shown to it."""

    host: Annotated[str, StringConstraints(min_length=1, max_length=253)]
    """Name or address of the broker."""
    other_hosts: tuple[HostAndPort, ...] = ()
    """Further nodes of the same cluster, as "broker-2.example" or "broker-2.example:8884"; where one does not answer,
    the next is tried."""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """None: 8883 with tls, 1883 without."""
    tls: bool = False
    """Encrypt with TLS 1.2 or newer, and check the broker's certificate; there is no way not to check it."""
    ca_file: Path | None = None
    """PEM file of the authority that signed the broker's certificate; None: the system's authorities."""
    client_cert: Path | None = None
    """PEM file of our own certificate, where the broker asks for one."""
    client_key: Path | None = None
    """PEM file of its key, without a passphrase."""
    username: str | None = None
    password_file: Path | None = None
    """A file that holds the password and nothing else; read anew at every connection."""
    password_env: Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    """The environment variable that holds the password, instead of a file."""
    keepalive_s: int = Field(default=30, ge=2, le=3600)
    """Seconds of silence after which the broker is asked whether it is still there, 2-3600."""
    connect_timeout_s: float = Field(default=10, gt=0, le=120)
    """Seconds to wait for a connection and for the broker's yes, up to 120."""

    @model_validator(mode="after")
    def _pairs_are_whole(self) -> Self:
        if (self.client_cert is None) != (self.client_key is None):
            raise ValueError("client_cert and client_key belong together: set both or neither")
        if self.password_file is not None and self.password_env is not None:
            raise ValueError("give the password in password_file or in password_env, not in both")
        if (self.password_file or self.password_env) and self.username is None:
            raise ValueError("a password needs a username")
        if not self.tls and (self.ca_file is not None or self.client_cert is not None):
            raise ValueError("ca_file and client_cert need tls = true; without it nothing is encrypted")
        return self

    def nodes(self) -> tuple[Self, ...]:
        """The settings of each node of the cluster, or these alone."""
        alone = self.model_copy(update={"other_hosts": ()})
        others = (node.partition(":") for node in self.other_hosts)
        return (
            alone,
            *(
                alone.model_copy(update={"host": name, "port": int(port or self.address_port)})
                for name, _, port in others
            ),
        )

    @property
    def address_port(self) -> int:
        """The port that is really used."""
        return self.port or (8883 if self.tls else 1883)

    @property
    def where(self) -> str:
        """Host and port, as messages name them."""
        return f"{self.host}:{self.address_port}"

    def password(self) -> str | None:
        """The password as it is now; None without one.

        Raises:
            BrokerError: the file cannot be read, or the variable is not set.
        """
        if self.password_env is not None:
            if self.password_env not in os.environ:
                raise BrokerError(
                    f"expected the broker's password in the environment variable {self.password_env}",
                    f"set {self.password_env}, or use password_file",
                )
            return os.environ[self.password_env]
        if self.password_file is None:
            return None
        try:
            return text_of(self.password_file.read_bytes()).rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            raise BrokerError(
                f"the password file {self.password_file} cannot be read: {error}",
                "check the path, its owner and the disk",
            ) from error

    def tls_context(self) -> ssl.SSLContext:
        """Certificates are always checked: against `ca_file`, or else the system's authorities.

        Raises:
            BrokerError: a file is missing, malformed, or its key wants a passphrase.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.client_cert is not None:
                # Without a password given here, OpenSSL would ask for one at the terminal, and wait.
                context.load_cert_chain(self.client_cert, self.client_key, password="")
        except OSError as error:
            files = [str(path) for path in (self.ca_file, self.client_cert, self.client_key) if path]
            raise BrokerError(
                f"TLS cannot be set up from {', '.join(files)}: {error}",
                "check these files, their owner and that they belong together",
            ) from error
        return context
