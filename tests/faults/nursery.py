"""Starts devices in no time: imports everything once and forks; a script that takes its orders as lines of JSON."""

import contextlib
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Order:
    """How a device is to live."""

    bench: str
    log: str
    """Where its standard error goes, appended."""
    run_folder: str
    """As systemd's RuntimeDirectory."""
    notify: str
    """The supervisor's socket."""
    broken: tuple[str, ...] = ()
    """What is wrong with it, by the names in `broken`."""
    samples: int = 0
    """After so many it leaves; 0: never."""
    data_mib: int = 0
    """Most memory it may claim; 0: any."""
    processor: int | None = None
    """The only one it may use."""
    environ: tuple[tuple[str, str], ...] = ()
    """Variables that must be there when its program is loaded; it is then started anew, which takes a second more."""


class Nursery:
    """Forks devices; use as a context."""

    def __init__(self) -> None:
        paths = os.pathsep.join([str(ROOT), str(ROOT / "device"), str(ROOT / "tools")])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.nursery"],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": paths},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def start(self, order: Order) -> int:
        """The number of the new device's process."""
        pid: int = self._ask({"start": asdict(order)})
        return pid

    def status(self, pid: int) -> int | None:
        """Its exit status, minus the signal that ended it; None while it lives. Ask once for an answer."""
        status: int | None = self._ask({"status": pid})
        return status

    def _ask(self, what: dict[str, Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        return json.loads(self._process.stdout.readline())


def main() -> None:
    """Answer until standard input ends."""
    import tests.faults.broken  # noqa: F401 - so that no fork has to

    for line in sys.stdin:
        asked = json.loads(line)
        if "start" in asked:
            pid = os.fork()
            if pid == 0:
                os._exit(_live(asked["start"]))
            answer: int | None = pid
        else:
            found, status = os.waitpid(asked["status"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if found else None
        print(json.dumps(answer), flush=True)


def _live(asked: dict[str, Any]) -> int:
    from tests.faults.broken import live

    if asked["environ"]:
        environ = os.environ | dict(asked["environ"])
        again = json.dumps(asked | {"environ": ()})
        os.execve(sys.executable, [sys.executable, "-m", "tests.faults.nursery", again], environ)
    with contextlib.redirect_stdout(None):
        return live(Order(**asked))


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.exit(_live(json.loads(sys.argv[1])))
    main()
