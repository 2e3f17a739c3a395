"""Power cuts: a run is recorded system call by system call, and what a disk would hold at a moment is laid down anew.

strace(1) writes every call that changes the state folder. The model of the disk is the meanest that POSIX allows: what
was not fsynced is lost, a name is only there once its folder was fsynced. In every second case some of what was not
fsynced is there all the same, as chance has it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from tests.faults.campaign import Case, Kind, NotHere
from tests.faults.nursery import ROOT
from tests.faults.running import NotSurvived, Plant

CALLS = "openat,write,pwrite64,ftruncate,truncate,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,"
CALLS += "fsync,fdatasync,lseek,close"
REPORTS = 2
_CALL = re.compile(rb"^\d+ +(\w+)\((.*)\) += (-?\d+)")
_TEXT = re.compile(rb'"((?:\\x[0-9a-f]{2})*)"')
_CUT_OFF = b" <unfinished ...>"
_GOES_ON = re.compile(rb"^(\d+) +<\.\.\. \w+ resumed>(.*)$")


@dataclass(slots=True, eq=False)
class Node:
    """A file or a folder: what programs read, and what the disk holds."""

    content: bytearray = field(default_factory=bytearray)
    on_disk: bytes = b""
    unsynced: list[tuple[int, bytes | None]] = field(default_factory=list)
    """Writes since the last fsync, (offset, content); None for content: cut to that length."""
    is_folder: bool = False


class Disk:
    """A folder tree between a program and the power cut."""

    def __init__(self) -> None:
        self.names: dict[str, Node] = {}
        self._settled: dict[str, Node] = {}
        self._changes: list[dict[str, Node | None]] = []
        """To names, in their order, each of them at once or not at all; None: it is gone."""

    def write(self, path: str, offset: int, content: bytes) -> None:
        """Into a file, at an offset."""
        node = self.names[path]
        _put(node.content, offset, content)
        node.unsynced.append((offset, content))

    def cut(self, path: str, length: int) -> None:
        """Make a file this long."""
        node = self.names[path]
        _cut(node.content, length)
        node.unsynced.append((length, None))

    def name(self, change: dict[str, Node | None]) -> None:
        """Make, rename or remove."""
        self.names = _changed(self.names, change)
        self._changes.append(change)

    def sync(self, path: str) -> None:
        """What fsync promises of a file, and of the names in a folder."""
        if path in self.names:
            node = self.names[path]
            node.on_disk, node.unsynced = bytes(node.content), []
        of_others = []
        for change in self._changes:
            if any(str(Path(one).parent) == path for one in change):
                self._settled = _changed(self._settled, change)
            else:
                of_others.append(change)
        self._changes = of_others

    def after_a_cut(self, root: str, chance: Random | None) -> dict[str, bytes]:
        """Content by path below `root`; with `chance`, some of what was not fsynced is there too."""
        names = self._settled
        for change in self._changes[: 0 if chance is None else chance.randint(0, len(self._changes))]:
            names = _changed(names, change)
        return {
            path: _content(node, chance)
            for path, node in names.items()
            if not node.is_folder and all(str(one) in names for one in Path(path).parents if one > Path(root))
        }


def _changed(names: dict[str, Node], change: dict[str, Node | None]) -> dict[str, Node]:
    return {path: node for path, node in (names | change).items() if node is not None}


def _put(content: bytearray, offset: int, written: bytes) -> None:
    content.extend(bytes(max(0, offset - len(content))))
    content[offset : offset + len(written)] = written


def _cut(content: bytearray, length: int) -> None:
    content.extend(bytes(max(0, length - len(content))))
    del content[length:]


def _content(node: Node, chance: Random | None) -> bytes:
    content = bytearray(node.on_disk)
    for offset, written in node.unsynced if chance is not None else []:
        if chance is not None and chance.random() < 0.5:
            if written is None:
                _cut(content, offset)
            else:
                _put(content, offset, written)
    return bytes(content)


class Recording:
    """The calls of a device that counted some samples and left."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="recorded-"))
        self.calls: list[tuple[str, bytes, int]] = []
        self.root = self.log = ""

    def make(self, plant: Plant) -> None:
        """Let a device run under strace."""
        strace = shutil.which("strace")
        if strace is None:
            raise NotHere("needs strace: apt-get install strace")
        self.root, self.log = str(plant.state), str(plant.log)
        written = self._folder / "calls"
        order = json.dumps(asdict(replace(plant.order, broken=("eager",), samples=REPORTS)))
        device = [sys.executable, "-m", "tests.faults.nursery", order]
        done = subprocess.run(
            [strace, "-f", "-xx", "-s", "10000000", "-e", f"trace={CALLS}", "-o", written, *device],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'device'}:{ROOT / 'tools'}"},
            capture_output=True,
            text=True,
            check=False,
        )
        if not written.exists() or not written.stat().st_size:
            raise NotHere(f"strace may not trace here: {done.stderr[-200:]}")
        if done.returncode:
            raise NotSurvived(f"the recorded run ended with {done.returncode}: {plant.log_text()[-300:]}")
        begun: dict[bytes, bytes] = {}
        for line in written.read_bytes().splitlines():
            if line.endswith(_CUT_OFF):
                begun[line.split(b" ", 1)[0]] = line[: -len(_CUT_OFF)]
                continue
            if goes_on := _GOES_ON.match(line):
                line = begun.pop(goes_on[1], b"") + goes_on[2]  # noqa: PLW2901 - two lines are one call
            if found := _CALL.match(line):
                self.calls.append((found[1].decode(), found[2], int(found[3])))

    def forget(self) -> None:
        """Remove what it wrote."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def changes(self) -> list[int]:
        """After which calls the state folder was another than before; moments between are all the same."""
        files: dict[int, str] = {}
        found = []
        for number, (call, arguments, result) in enumerate(self.calls):
            if call == "openat" and result >= 0:
                files[result] = _texts(arguments)[0].decode()
            touched = (
                files.get(int(arguments.split(b",")[0]), "")
                if call in ("write", "pwrite64", "ftruncate", "fsync", "fdatasync")
                else next(iter(texts), b"").decode()
                if (texts := _texts(arguments)) and (call != "openat" or b"O_CREAT" in arguments)
                else ""
            )
            if touched.startswith(self.root) or touched == self.log:
                found.append(number)
        return found

    def until(self, number: int) -> tuple[Disk, str]:
        """The disk after this call, and what was in the log by then."""
        disk, log = Disk(), b""
        files: dict[int, list[Any]] = {}
        for call, arguments, result in self.calls[: number + 1]:
            if result < 0:
                continue
            log += self._apply(disk, files, call, arguments, result)
        return disk, log.decode(errors="replace")

    def _apply(self, disk: Disk, files: dict[int, list[Any]], call: str, arguments: bytes, result: int) -> bytes:
        texts = [text.decode(errors="replace") for text in _texts(arguments)] if "write" not in call else []
        inside = [text for text in texts if text.startswith(self.root + "/") or text == self.root]
        if call == "openat":
            files[result] = [texts[0], 0, b"O_APPEND" in arguments]
            if inside and b"O_CREAT" in arguments and texts[0] not in disk.names:
                disk.name({texts[0]: Node()})
            if inside and b"O_TRUNC" in arguments:
                disk.cut(texts[0], 0)
        elif inside and call.startswith("rename"):
            disk.name({texts[0]: None, texts[1]: disk.names[texts[0]]})
        elif inside and call.startswith("unlink"):
            disk.name({texts[0]: None})
        elif inside and call.startswith("mkdir"):
            disk.name({texts[0]: Node(is_folder=True)})
        elif not texts:
            return self._apply_to_open(disk, files, call, arguments, result)
        return b""

    def _apply_to_open(
        self, disk: Disk, files: dict[int, list[Any]], call: str, arguments: bytes, result: int
    ) -> bytes:
        rest = arguments.split(b", ")
        number = int(arguments.split(b",")[0])
        if number == 2 and call == "write":
            return _texts(arguments)[0]
        if number not in files:
            return b""
        file = files[number]
        path = file[0]
        mine = path in disk.names or path == self.root
        match call:
            case "close":
                del files[number]
            case "lseek":
                file[1] = result
            case "fsync" | "fdatasync" if mine:
                disk.sync(path)
            case "ftruncate" if mine:
                disk.cut(path, int(rest[-1]))
            case "pwrite64" if mine:
                disk.write(path, int(rest[-1]), _texts(arguments)[0][:result])
            case "write" if mine:
                offset = len(disk.names[path].content) if file[2] else file[1]
                disk.write(path, offset, _texts(arguments)[0][:result])
                file[1] = offset + result
        return b""


def _texts(arguments: bytes) -> list[bytes]:
    return [bytes.fromhex(found.replace(b"\\x", b"").decode()) for found in _TEXT.findall(arguments)]


def _cut_at(recording: Recording, share: float, mean: bool) -> Case:
    def case(plant: Plant, chance: Random) -> None:
        if not recording.calls:
            recording.make(plant)
            shutil.rmtree(plant.state)
            plant.state.mkdir()
        moments = recording.changes()
        moment = moments[int(share * len(moments))]
        disk, log = recording.until(moment)
        for path, content in disk.after_a_cut(recording.root, None if mean else chance).items():
            place = plant.state / Path(path).relative_to(recording.root)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        plant.log.write_text(log)
        plant.works()

    return case


def _cuts(wanted: int) -> Iterator[Case]:
    recording = Recording()
    try:
        for number in range(wanted):
            yield _cut_at(recording, (number + 0.5) / wanted, number % 2 == 0)
    finally:
        recording.forget()


POWER = Kind("power cut", _cuts)
