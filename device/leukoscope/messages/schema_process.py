"""Checks messages against their schemas in a process of its own.

What reads schemas takes 8 MB that a process which checks a few messages a day would hold for weeks.
"""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from leukoscope.errors import InvalidMessage
from leukoscope.messages.json_format import to_bytes, validate

_TIMEOUT_S = 60
_REFUSED = 3


def validate_beside(messages: Sequence[Mapping[str, Any]], expected: str) -> None:
    """As `validate`, for several messages of one schema.

    Raises:
        InvalidMessage: one breaks its schema, or the process cannot be started or does not end.
    """
    command = [sys.executable, "-m", "leukoscope.messages.schema_process", expected]
    lines = b"\n".join(map(to_bytes, messages))
    try:
        done = subprocess.run(command, input=lines, capture_output=True, timeout=_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InvalidMessage(f"the message could not be checked: {error}", "try again") from error
    if done.returncode == _REFUSED:
        refused = json.loads(done.stdout)
        raise InvalidMessage(refused["happened"], refused["todo"])
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise InvalidMessage(f"the message could not be checked: {' '.join(last)}", "try again")


def main() -> None:
    """Check each line of the standard input; exit code 3 and why, as JSON, at the first that breaks its schema."""
    try:
        for line in sys.stdin.buffer:
            validate(json.loads(line), sys.argv[1])
    except InvalidMessage as error:
        print(json.dumps({"happened": error.happened, "todo": error.todo}))
        sys.exit(_REFUSED)


if __name__ == "__main__":
    main()
