"""Where the review page listens, who may reach it, and the keys by which cells are named."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from leukoscope.schema import FrozenModel

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class WebSettings(FrozenModel):
    """The page in the browser."""

    host: str = "127.0.0.1"
    """Address to listen at; beyond this machine only with a certificate, or with plain_http."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """0 takes a free one and says which."""
    certificate: Path | None = None
    """TLS certificate with its chain (PEM), signed by the authority of the site."""
    key: Path | None = None
    """Its private key (PEM)."""
    plain_http: bool = False
    """Listen beyond this machine without TLS: names, PINs and results can then be read on the network."""
    session_h: Annotated[float, Field(gt=0, le=24 * 30)] = 8.0
    """Hours after which a person has to sign in again."""
    live_folder: Path | None = None
    """Where the running bench and the page meet, in memory (a tmpfs): live picture, state and a local socket. Unset:
    in /run/leukoscope under systemd, and in the folder of results otherwise."""
    keys: Mapping[Annotated[str, Field(pattern=r"^[a-mo-rtvwyz0-9]$")], str] = {}
    """Class by the key that names it, as { b = "blast" }; u, n, s and x are taken. Classes that are not named
    get free letters."""

    @model_validator(mode="after")
    def _not_in_the_clear(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together")
        if self.host not in LOOPBACK and self.certificate is None and not self.plain_http:
            raise ValueError(
                f"at {self.host} the page can be reached from other machines: give certificate and key, or say "
                "plain_http = true"
            )
        return self
