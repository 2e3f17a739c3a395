"""A broker and collectors of one's own, that can be killed and started again."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import tomli_w

from fleet_simulation.postgres import ServerError

TOOLS = Path(__file__).parents[1]
HOST = "127.0.0.1"
_START_S = 20.0


def free_port() -> int:
    """A TCP port of this machine that is free now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


class Program:
    """A process with a log file, killed as by a pulled plug or stopped as by an operator."""

    own_group = False
    """Ctrl-C at the terminal ends it with us; True for what is killed with all its children."""

    def __init__(self, command: list[str], log: Path, **environment: str) -> None:
        self._command = command
        self.log = log
        self._environment = os.environ | environment
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Begin; `ready` tells when it is."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=self._environment,
                start_new_session=self.own_group,
            )

    def kill(self) -> None:
        """kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM."""
        self._end(signal.SIGTERM)

    def send(self, number: signal.Signals) -> None:
        """Any signal, such as SIGSTOP."""
        if self._process is not None:
            self._process.send_signal(number)

    @property
    def ended(self) -> bool:
        """It was started and has left by itself."""
        return self._process is not None and self._process.poll() is not None

    @property
    def last_words(self) -> str:
        """The end of its log, in one line."""
        return " ".join(self.log.read_text("utf-8", "replace")[-500:].split()) if self.log.exists() else ""

    def wait(self, timeout_s: float) -> int:
        """The exit status.

        Raises:
            ServerError: it did not end in time, and was killed.
        """
        assert self._process is not None
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            self.kill()
            raise ServerError(f"{self._command[0]} did not end within {timeout_s:.0f} s: see {self.log}") from error

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        try:
            process.wait(_START_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class ScratchBroker(Program):
    """A mosquitto with the persistence of the provisioned one, without TLS."""

    def __init__(self, folder: Path, addresses: list[str], *, autosave_s: int) -> None:
        """Write its configuration.

        Raises:
            ServerError: mosquitto is not installed.
        """
        program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
        if program is None:
            raise ServerError("no mosquitto found: apt-get install mosquitto")
        folder.mkdir()
        self.port = free_port()
        # Started as root, mosquitto would drop to a user who may not read this folder.
        lines = ["user root", "allow_anonymous true", f"persistence_location {folder}/", "persistence true"]
        lines += [f"listener {self.port} {address}" for address in addresses]
        lines += [f"autosave_interval {autosave_s}", "max_queued_messages 100000000", "max_inflight_messages 0"]
        lines += ["set_tcp_nodelay true", "log_type error", "log_type warning", "log_type notice"]
        lines += ["connection_messages false"]
        (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
        super().__init__([program, "-c", str(folder / "mosquitto.conf")], folder / "log")

    def start(self) -> None:
        """Start it and wait until it listens.

        Raises:
            ServerError: it does not.
        """
        super().start()
        until = time.monotonic() + _START_S
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex((HOST, self.port)) == 0:
                    return
            time.sleep(0.02)
        raise ServerError(f"mosquitto does not listen: {self.log.read_text()[-300:]}")


def collector(folder: Path, name: str, broker: ScratchBroker, store: dict[str, Any]) -> Program:
    """A collector of its own name, not yet started."""
    file = folder / f"{name}.toml"
    settings = {
        "name": name,
        "longest_retry_s": 2,
        "metrics": {"port": 0},
        "broker": {"host": HOST, "port": broker.port},
        "store": {key: str(value) for key, value in store.items()},
    }
    file.write_text(tomli_w.dumps(settings), "utf-8")
    return collector_program(file, folder / f"{name}.log")


def collector_program(file: Path, log: Path) -> Program:
    """A collector by its settings file, not yet started."""
    paths = os.pathsep.join([str(TOOLS), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "leukoscope_collector", "--settings", str(file)]
    return Program(command, log, PYTHONPATH=paths)
