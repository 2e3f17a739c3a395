"""Runs the page's server, with TLS where a certificate is given."""

import secrets
import socket

import uvicorn

from leukoscope.errors import SettingsError
from leukoscope.system.memory import give_back
from leukoscope.web.app import app_of
from leukoscope.web.page_server import Site, compile_templates
from leukoscope.web_settings import WebSettings

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_STOPPING_S = 6
"""Longer than a bench is waited for; what takes longer is cut off, before systemd does it."""


def new_code() -> str:
    """A set-up code that can be read off a display: 40 bits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(8))


def listening(settings: WebSettings) -> socket.socket:
    """A socket at the address of the settings.

    Raises:
        SettingsError: it is taken, or not ours.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # Said to be TCP, so that asyncio sends an answer's head and body without waiting 40 ms for the browser in between.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((settings.host, settings.port))
        made.listen(128)
    except OSError as error:
        made.close()
        raise SettingsError(
            f"the page cannot listen at {settings.host}:{settings.port} ({error.strerror})", "choose another web.port"
        ) from error
    return made


def address_of(settings: WebSettings, made: socket.socket) -> str:
    """What a browser is given."""
    scheme = "http" if settings.certificate is None else "https"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{scheme}://{host}:{made.getsockname()[1]}/"


def serve(site: Site, made: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT."""
    settings = site.settings
    config = uvicorn.Config(
        app_of(site),
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        ws="none",
        timeout_keep_alive=30,
        timeout_graceful_shutdown=_STOPPING_S,
        limit_concurrency=100,
        ssl_certfile=settings.certificate,
        ssl_keyfile=settings.key,
    )
    server = uvicorn.Server(config)
    compile_templates()
    give_back()
    server.run(sockets=[made])
