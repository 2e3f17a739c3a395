"""What the page in the browser asks of the bench beside it: through a local socket, into the inbox of commands."""

import json
import logging
import os
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from leukoscope.errors import InvalidMessage, LeukoscopeError
from leukoscope.messages.command import CommandName, command_of
from leukoscope.messages.json_format import from_bytes
from leukoscope.outbox.command_inbox import CommandInbox
from leukoscope.system.clock import Clock
from leukoscope.system.page_folder import DOOR, MOST_BYTES, datagram_socket, door_address

ALLOWED = (
    CommandName.START_SAMPLE,
    CommandName.PAUSE_SAMPLE,
    CommandName.RESUME_SAMPLE,
    CommandName.FINISH_SAMPLE,
    CommandName.DISCARD_SAMPLE,
    CommandName.RESTART,
)
"""What may be asked at the page, whatever may be commanded over MQTT; the page asks who may ask it."""
_LIFE = timedelta(seconds=60)
"""Of a command: the page waits no longer either."""
_CODE = re.compile(r"[A-Z0-9]{8}")
_MOST_WAITING = 50
"""Commands whose sender is remembered."""

_log = logging.getLogger("leukoscope")


class LocalCommands:
    """The socket of one bench; only its own user may send to it, and no sender is waited for."""

    def __init__(self, folder: Path, inbox: CommandInbox, watch: Callable[[], None], now: Clock) -> None:
        """Listen.

        Args:
            folder: where the socket lies.
            inbox: where commands go; its replies go back through here.
            watch: called when a browser watches.
            now: the time of day.

        Raises:
            OSError: it cannot be made.
        """
        self._path, self._inbox, self._watch, self._now = folder / DOOR, inbox, watch, now
        self._senders: dict[str, str | bytes] = {}
        self._code = ""
        self._socket = datagram_socket()
        try:
            self._path.unlink(missing_ok=True)
            with door_address(folder) as address:
                # What is set before it has a name is the mode of the file.
                os.fchmod(self._socket.fileno(), 0o600)
                self._socket.bind(address)
        except OSError:
            self._socket.close()
            raise

    def receive(self) -> None:
        """Take in what was sent since the last call.

        Raises:
            OutboxError: a command cannot be remembered, so it is not done.
        """
        while True:
            try:
                payload, sender = self._socket.recvfrom(MOST_BYTES + 1)
            except OSError:
                # Nothing more, and nothing else can be done about a socket that fails.
                return
            try:
                self._take(from_bytes(payload), sender)
            except InvalidMessage as error:
                _log.warning("page: %s", error)

    def answer(self) -> None:
        """Send what became of commands; a sender that is gone reads it on the page."""
        for reply in self._inbox.replies():
            sender = self._senders.pop(from_bytes(reply.payload)["command"] or "", None)
            if sender:
                self._send(reply.payload, sender)

    def code(self) -> str:
        """The code that makes the first administrator, where the page asks to show it; empty else. Given once."""
        code, self._code = self._code, ""
        return code

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def _take(self, message: dict[str, Any], sender: str | bytes) -> None:
        if message.get("watch") is True:
            self._watch()
            return
        if isinstance(code := message.get("code"), str):
            self._code = code if _CODE.fullmatch(code) else ""
            return
        now = self._now()
        identifier = str(message.get("id"))
        try:
            name = CommandName(str(message.get("name")))
            arguments = message.get("arguments")
            payload = command_of(
                identifier,
                name,
                by=str(message.get("by")),
                issued_at=now,
                expires_at=now + _LIFE,
                arguments=arguments if isinstance(arguments, dict) else {},
            )
        except (ValueError, LeukoscopeError) as error:
            refused = {"command": identifier, "outcome": "refused", "reason": "malformed", "text": str(error)[:400]}
            self._send(json.dumps(refused).encode(), sender)
            return
        while len(self._senders) >= _MOST_WAITING:
            self._senders.pop(next(iter(self._senders)))
        self._senders[identifier] = sender
        self._inbox.receive(payload)

    def _send(self, payload: bytes, sender: str | bytes) -> None:
        try:
            self._socket.sendto(payload, sender)
        except OSError as error:
            _log.info("page: a result found nobody (%s)", error)
