"""The bench that runs beside this page: its live state, and what it is asked to do."""

import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from leukoscope.errors import LeukoscopeError
from leukoscope.messages.command import text_in
from leukoscope.messages.json_format import from_bytes, to_bytes
from leukoscope.messages.live_state import LiveState, with_texts
from leukoscope.system.fault_record import FaultRecord, LastFault
from leukoscope.system.page_folder import PICTURE, STATE, datagram_socket, door_address

ANSWER_S = 5.0
"""How long the page waits for what became of a command; the bench looks for one between two frames."""
_MOST_ANSWER_BYTES = 65_536


class BenchAwayError(LeukoscopeError, OSError):
    """The bench does not run, or does not take what it is asked."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a command."""

    done: bool
    text: str
    reason: str
    """A word for programs when it was refused, such as "used_before"; "no_answer" where none came in time."""


class BenchLink:
    """Through files and a socket in memory; nothing that is done here can make the bench wait."""

    def __init__(self, folder: Path) -> None:
        """`folder` is the one of `leukoscope.system.page_folder`."""
        self._folder = folder

    def state(self) -> LiveState | None:
        """What it did last; None where it never ran, or wrote another version of it."""
        try:
            state = LiveState.model_validate_json((self._folder / STATE).read_bytes())
        except (OSError, ValidationError):
            return None
        return state.model_copy(update={"screens": with_texts(dict(state.screens)), "alarms": with_texts(state.alarms)})

    def watch(self) -> bool:
        """Say that a person watches; False where no bench runs."""
        return self._tell(b'{"watch":true}')

    def show_code(self, code: str) -> bool:
        """Ask it to show the code that makes the first administrator on its displays; False where no bench runs."""
        return self._tell(to_bytes({"code": code}))

    def _tell(self, message: bytes) -> bool:
        try:
            with door_address(self._folder) as address, datagram_socket() as made:
                made.connect(address)
                # Where there is no room for more, it is busy with the same.
                with suppress(BlockingIOError):
                    made.send(message)
        except OSError:
            return False
        return True

    def picture(self) -> bytes | None:
        """JPEG of the newest field; None where there is none."""
        try:
            return (self._folder / PICTURE).read_bytes()
        except OSError:
            return None

    def last_fault(self) -> LastFault | None:
        """What it ended with, where that is known."""
        return FaultRecord.of_this_service().read()

    def ask(self, name: str, by: str, arguments: Mapping[str, Any]) -> Asked:
        """Ask it to do something, and wait a little for what becomes of that.

        Args:
            name: one of the commands.
            by: who asks, for the audit trail.
            arguments: as the schema of commands says.

        Raises:
            BenchAwayError: it does not run, or is busy with too many commands.
        """
        identifier = str(uuid.uuid4())
        payload = to_bytes({"id": identifier, "name": name, "by": by, "arguments": dict(arguments)})
        try:
            with door_address(self._folder) as address, datagram_socket() as made:
                # A name of its own, by which it can be answered.
                made.bind("")
                made.settimeout(ANSWER_S)
                made.sendto(payload, address)
                while True:
                    found = from_bytes(made.recv(_MOST_ANSWER_BYTES))
                    if found.get("command") == identifier:
                        return Asked(found["outcome"] == "done", text_in(found), str(found["reason"] or ""))
        except TimeoutError:
            return Asked(False, "The bench has not answered yet: look at what it does.", "no_answer")
        except OSError as error:
            raise BenchAwayError("the bench does not run, so it cannot be asked", "start it, and try again") from error
