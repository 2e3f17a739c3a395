"""What others do to a device's folder: planted and changed reports, an outbox taken away, a second device on it."""

import json
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from tests.commands.command_line import leukoscope
from tests.faults.campaign import Case, Kind
from tests.faults.running import NotSurvived, Plant

Spoil = Callable[[Path, Random], None]
"""Does something to the folder of a report's file."""
SPOILT_BY = b'"platelets":{"counted":', b'"platelets":{"counted":9'


def _planted_version(path: Path, _: Random) -> None:
    path.with_name(path.name.replace("-v1.", "-v7.")).write_bytes(path.read_bytes().replace(*SPOILT_BY))


def _planted_report(path: Path, _: Random) -> None:
    other = path.name.replace("report-", "report-ffffffff")[:15] + path.name[15:]
    path.with_name(other).write_bytes(path.read_bytes().replace(*SPOILT_BY))


def _changed(path: Path, chance: Random) -> None:
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def _gone(path: Path, _: Random) -> None:
    path.unlink()


def _folder_gone(path: Path, _: Random) -> None:
    shutil.rmtree(path.parent)


def _a_folder(path: Path, _: Random) -> None:
    path.unlink()
    path.mkdir()


def _a_link(path: Path, _: Random) -> None:
    path.rename(path.parent.parent / "elsewhere")
    path.symlink_to("/dev/zero")


def _planted(spoil: Spoil) -> Case:
    """The next start names or repairs it, and what is exported is what was recorded."""

    def case(plant: Plant, chance: Random) -> None:
        plant.about = spoil.__name__.strip("_").replace("_", " ")
        plant.works()
        path = min((plant.state / "reports").glob("report-*-v1.json"))
        report_id = path.name[7:43]
        recorded = _exported(plant, report_id)
        spoil(path, chance)
        if _exported(plant, report_id) != recorded:
            raise NotSurvived("another report is exported than was recorded")
        plant.works()
        if _exported(plant, report_id) != recorded:
            raise NotSurvived("another report is exported after a start than was recorded")
        if path.is_symlink() or not path.is_file():
            raise NotSurvived(f"{path.name} is not there again")
        # What the device did not record stays where it lies; to the judge of the campaign it would be a second report.
        for other in (plant.state / "reports").glob("report-*.json"):
            if other.name[7:43] not in plant.in_outbox():
                other.unlink()

    return case


def _exported(plant: Plant, report_id: str) -> str:
    outcome = leukoscope("export", report_id, "--as", "csv", "--bench", plant.bench, "--out", plant.folder / "out.csv")
    if outcome.code:
        raise NotSurvived(f"it cannot be exported: {outcome.err}")
    return (plant.folder / "out.csv").read_text()


def _without_outbox(emptied: bool) -> Case:
    """The reports of an outbox that is gone are sent again, and the display says so."""

    def case(plant: Plant, chance: Random) -> None:
        plant.about = "outbox emptied" if emptied else "outbox deleted"
        plant.works()
        before = plant.finished()
        for part in plant.state.glob("outbox.sqlite*"):
            if emptied and part.name == "outbox.sqlite":
                part.write_bytes(b"")
            else:
                part.unlink()
        plant.works()
        if "ERROR The outbox was deleted; 1 reports are sent again" not in plant.log_text():
            raise NotSurvived(f"nothing says so: {plant.log_text()[-300:]}")
        if lost := before - plant.in_outbox():
            raise NotSurvived(f"{len(lost)} reports are not sent again")

    return case


def _planted_beside_no_outbox(plant: Plant, chance: Random) -> None:
    """With the outbox gone, too, nothing is exported that a person does not ask for in so many words."""
    plant.about = "outbox deleted, version planted"
    plant.works()
    path = min((plant.state / "reports").glob("report-*-v1.json"))
    recorded = _exported(plant, path.name[7:43])
    _planted_version(path, chance)
    for part in plant.state.glob("outbox.sqlite*"):
        part.unlink()
    out = plant.folder / "planted.csv"
    if leukoscope("export", path.name[7:43], "--as", "csv", "--bench", plant.bench, "--out", out).code == 0:
        raise NotSurvived("a planted version is exported")
    plant.works()
    if _exported(plant, path.name[7:43]) != recorded:
        raise NotSurvived("another report is exported after a start than was recorded")


def _second_owner(plant: Plant, chance: Random) -> None:
    """A second device on the folder is refused before it touches anything, and the first goes on."""
    plant.write(white_cells=10_000)
    first = plant.start("eager")
    first.until_ready()
    second = plant.start()
    if second.until_ready_or_gone():
        raise NotSurvived("two devices run on one folder")
    if first.status() is not None:
        raise NotSurvived(f"the first ended with {first.status()}")
    first.end()
    plant.write()
    plant.works()


def _another_bench(site: str, device: str) -> Case:
    """A bench of another name on the folder leaves the sample that was cut short alone, and reports its own."""

    def case(plant: Plant, chance: Random) -> None:
        plant.about = f"of {site}/{device}"
        plant.write(white_cells=10_000)
        first = plant.start("eager")
        first.until_ready()
        first.until(lambda: _journal_bytes(plant) > 700, "counted a field")
        first.end(signal.SIGKILL)
        plant.write()
        plant.bench.write_text(
            plant.bench.read_text()
            .replace('site = "campaign"', f'site = "{site}"')
            .replace('device = "test"', f'device = "{device}"')
        )
        plant.works()
        for payload in plant.stored().values():
            report = json.loads(payload)
            if report["sample"].get("resumed"):
                raise NotSurvived("the sample of another bench was gone on with")
            if (report["provenance"]["site"], report["provenance"]["device"]) != (site, device):
                raise NotSurvived("a report is under another bench's name")
        if not list((plant.state / "in-progress").rglob("*.events*")):
            raise NotSurvived("the sample that was cut short is gone")

    return case


def _journal_bytes(plant: Plant) -> int:
    return sum(path.stat().st_size for path in (plant.state / "in-progress").glob("*.events"))


def _all(*cases: Case) -> Callable[[int], Iterator[Case]]:
    return lambda wanted: iter(cases[: max(1, wanted)])


SPOILS = (_planted_version, _changed, _gone, _planted_report, _folder_gone, _a_folder, _a_link)
PLANTED = Kind("report files planted", lambda wanted: iter([_planted(spoil) for spoil in SPOILS]))
LOST = Kind("outbox taken away", _all(_without_outbox(False), _without_outbox(True), _planted_beside_no_outbox))
OTHERS = (_another_bench("annex", "test"), _another_bench("campaign", "other"))
OWNERS = Kind(
    "two devices, one folder", _all(_second_owner, _another_bench("annex", "test"), _another_bench("campaign", "other"))
)
KINDS = (PLANTED, LOST, OWNERS)
