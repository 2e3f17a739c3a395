"""Where results are kept: can it be written, does it outlive the power, how much is left of the card?"""

import os
import shutil
import tempfile
from pathlib import Path

from leukoscope.errors import OutboxError
from leukoscope.outbox.report_copies import compare, copies_of_reports
from leukoscope.outbox.store import Outbox
from leukoscope.sentence import Sentence, Verbatim
from leukoscope.settings import StorageSettings
from leukoscope.system.mounts import kept_in_memory

SYSTEM = Path("/")
LOW_SPACE_MIB = 200
"""Free space below which a site should act: an outbox of thousands of reports fits into far less."""
WORN = 8
"""Steps of 10 % of its life after which an eMMC or card should be replaced (JEDEC JESD84-B51, DEVICE_LIFE_TIME_EST)."""


def check_storage(storage: StorageSettings) -> str:
    """Looks and tries, and leaves nothing behind: a doctor run as root must not own the outbox.

    Raises:
        OutboxError: it cannot be written, is nearly full, or is lost at power-off.
    """
    folder = storage.folder
    free_mib = _free_mib(_existing(folder))
    reports = folder / "reports"
    if not storage.outbox.exists():
        if how_many := copies_of_reports(reports):
            raise OutboxError(
                Sentence(
                    "there is no outbox in {folder}, and {count} files of reports",
                    folder=Verbatim(folder),
                    count=how_many,
                ),
                "put it back from a copy, or start the device, which sends them again",
            )
        return Sentence(
            "{folder}: can be written, {free} MiB free, no outbox yet", folder=Verbatim(folder), free=free_mib
        )
    with Outbox.open(storage.outbox, owner=False) as outbox:
        counts = outbox.counts()
        with outbox.reading() as sql:
            differences = compare(sql, reports)
    if lines := list(differences.lines()):
        raise OutboxError(
            Sentence(
                "{reports} and the outbox differ in {count}, first: {line}",
                reports=Verbatim(reports),
                count=len(lines),
                line=lines[0],
            ),
            "leukoscope audit verify names all",
        )
    missing = differences.missing_in(reports)
    text = Sentence(
        "{folder}: {free} MiB free; outbox: {waiting} waiting, {sent} sent, {refused} refused",
        folder=Verbatim(folder),
        free=free_mib,
        waiting=counts.pending,
        sent=counts.sent,
        refused=counts.refused,
    )
    return Sentence("{first}; {rest}", first=text, rest=missing) if missing else text


def _free_mib(there: Path) -> int:
    """Free space of a folder that can be written and outlives the power."""
    try:
        with tempfile.TemporaryFile(dir=there) as trial:
            trial.write(b"leukoscope")
            trial.flush()
            os.fsync(trial.fileno())
        free_mib = shutil.disk_usage(there).free // 2**20
    except OSError as error:
        raise OutboxError(
            Sentence("{folder} cannot be written ({why})", folder=Verbatim(there), why=error.strerror),
            "check owner, mount and free space",
        ) from error
    if kept_in_memory(there):
        raise OutboxError(
            Sentence("{folder} lies in memory and is lost at power-off", folder=Verbatim(there)),
            "mount the data partition there",
        )
    if free_mib < LOW_SPACE_MIB:
        raise OutboxError(
            Sentence(
                "{folder} has {free} MiB free, expected {least}",
                folder=Verbatim(there),
                free=free_mib,
                least=LOW_SPACE_MIB,
            ),
            "make room",
        )
    return free_mib


def check_wear(folder: Path, system: Path = SYSTEM) -> str:
    """What the kernel knows about the health of the card or disk under a folder.

    Raises:
        OutboxError: it is nearly worn out, or its file system met errors.
    """
    number = _existing(folder).stat().st_dev
    device = (system / f"sys/dev/block/{os.major(number)}:{os.minor(number)}").resolve()
    errors = _number(system / "sys/fs/ext4" / device.name / "errors_count", 10)
    if errors:
        raise OutboxError(
            Sentence("the file system on {card} met {errors} errors", card=Verbatim(device.name), errors=errors),
            "copy its data, replace the card",
        )
    lives = [_read(place / "device/life_time") for place in (device, device.parent)]
    steps = [int(one, 16) for life in lives for one in life.split() if one.startswith("0x")]
    if not steps or max(steps) == 0:
        return "no errors; this kind of card does not tell its wear"
    if max(steps) > WORN:
        raise OutboxError(
            Sentence("{card} has used {share} % of its life", card=Verbatim(device.name), share=10 * max(steps)),
            "replace it, after copying its data",
        )
    return Sentence("no errors, at most {share} % of its life used", share=10 * max(steps))


def _existing(folder: Path) -> Path:
    return next(place for place in (folder.absolute(), *folder.absolute().parents) if place.is_dir())


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError):
        return ""


def _number(path: Path, base: int) -> int:
    try:
        return int(_read(path), base)
    except ValueError:
        return 0
