"""`leukoscope support`: one file for the person who helps, with no secret and no specimen's name in it."""

import io
import json
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Iterator
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from leukoscope import __version__
from leukoscope.displays.kept import FILE as SCREENS
from leukoscope.doctor import check_bench
from leukoscope.doctor.left_out import LEFT_OUT, secret_values, without_secrets
from leukoscope.errors import LeukoscopeError, SettingsError, without_logins
from leukoscope.schema import table_of, text_of
from leukoscope.settings import BenchSettings
from leukoscope.system.output_file import write_output

RUNTIME = Path("/run/leukoscope")
"""RuntimeDirectory of the units."""
LOG_DAYS = 7
LOG_TIMEOUT_S = 60
_WHOLE_REPORT = "could not be kept"


def pack_support(bench: Path, out: Path, runtime: Path = RUNTIME, *, running: bool = False) -> list[str]:
    """Write a .tar.gz of log, settings, doctor's findings, last screens and last fault.

    Args:
        bench: the settings file; of one that cannot be read, only that fact is packed.
        out: the file to write.
        runtime: where the service keeps its last screens and fault.
        running: as in `check_bench`.

    Returns:
        The names of what was packed.

    Raises:
        SettingsError: `out` cannot be written.
    """
    secrets = Secrets.of(bench)
    names = []
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in _texts(bench, runtime, running=running):
            content = secrets.removed_from(text).encode("utf-8")
            entry = tarfile.TarInfo(f"leukoscope-support/{name}")
            entry.size, entry.mode = len(content), 0o600
            archive.addfile(entry, io.BytesIO(content))
            names.append(name)
    try:
        write_output(out, packed.getvalue(), mode=0o600)
    except OSError as error:
        raise SettingsError(f"{out} cannot be written ({error.strerror or error})", "give another --out") from error
    return names


class Secrets:
    """What must not leave the device: passwords, and what specimens were called."""

    def __init__(self, passwords: set[str], samples: set[str]) -> None:
        words = sorted((re.escape(one) for one in samples if one), key=len, reverse=True)
        self._passwords = sorted((one for one in passwords if one), key=len, reverse=True)
        # A specimen called "1" must not take the ones out of every number.
        self._samples = re.compile(rf"(?<![\w-])(?:{'|'.join(words)})(?![\w-])") if words else None

    @classmethod
    def of(cls, bench: Path) -> "Secrets":
        """Every secret a bench's settings point to, and every specimen in its reports."""
        content = _settings_of(bench)
        reporting = content.get("reporting", {})
        passwords = set(secret_values(content))
        if isinstance(reporting, dict):
            for key in ("password_file", "client_key"):
                try:
                    passwords.add(text_of(Path(reporting[key]).read_bytes()).strip())
                except (KeyError, TypeError, OSError, UnicodeDecodeError):
                    continue
        storage = content.get("storage", {})
        folder = storage.get("folder") if isinstance(storage, dict) else None
        reports = Path(folder).glob("reports/*.json") if isinstance(folder, str) else ()
        return cls(passwords, {name for path in reports for name in _samples_in(path)})

    def removed_from(self, text: str) -> str:
        """The text without any of them, and without lines that hold a whole report."""
        kept = "\n".join(line for line in text.split("\n") if _WHOLE_REPORT not in line)
        for one in self._passwords:
            kept = kept.replace(one, LEFT_OUT)
        kept = without_logins(kept)
        return kept if self._samples is None else self._samples.sub(LEFT_OUT, kept)


def _texts(bench: Path, runtime: Path, *, running: bool) -> Iterator[tuple[str, str]]:
    yield "system.txt", _system()
    yield "settings.json", json.dumps(without_secrets(_settings_of(bench)), indent=2, default=str)
    yield "doctor.jsonl", "\n".join(_doctor(bench, running=running)) + "\n"
    yield "log.txt", _log()
    for name in ("fault.json", "stacks.txt", SCREENS):
        try:
            yield name, (runtime / name).read_text("utf-8", errors="replace")
        except OSError:
            continue


def _system() -> str:
    packages = sorted(f"{one.name} {one.version}" for one in metadata.distributions())
    release = Path("/etc/os-release")
    return "\n".join(
        [
            f"leukoscope {__version__}",
            f"{platform.machine()} {platform.system()} {platform.release()}",
            f"Python {sys.version}",
            release.read_text("utf-8") if release.exists() else "",
            *packages,
        ]
    )


def _settings_of(bench: Path) -> dict[str, Any]:
    try:
        return table_of(bench.read_bytes())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        return {"cannot be read": type(error).__name__}


def _doctor(bench: Path, *, running: bool) -> Iterator[str]:
    try:
        for finding in check_bench(BenchSettings.read(bench), bench.parent, running=running):
            yield json.dumps(asdict(finding), ensure_ascii=False)
    except LeukoscopeError as error:
        yield json.dumps({"part": "settings", "good": False, "text": str(error)}, ensure_ascii=False)


def _log() -> str:
    program = shutil.which("journalctl")
    if program is None:
        return "this system has no journal\n"
    units = ["--unit=leukoscope", "--unit=leukoscope-fault"]
    try:
        done = subprocess.run(
            [program, "--no-pager", "--no-hostname", "--output=short-iso", f"--since=-{LOG_DAYS}d", *units],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LOG_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"the journal cannot be read: {error}\n"
    return done.stdout + done.stderr


def _samples_in(path: Path) -> Iterator[str]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return
    sample = content.get("sample") if isinstance(content, dict) else None
    name = sample.get("sample_id") if isinstance(sample, dict) else None
    if isinstance(name, str):
        yield name
