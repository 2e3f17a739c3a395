"""The process behind `leukoscope web`: it knows the reports of a device, and none of its drivers."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from leukoscope.errors import LeukoscopeError, OutboxError
from leukoscope.messages.identity import Identity
from leukoscope.outbox.page_database import PageDatabase
from leukoscope.outbox.store import Outbox
from leukoscope.quality_control.history import History
from leukoscope.reviewing.desk import desk_of
from leukoscope.specimen.lifecycle import SigningRule
from leukoscope.system.clock import utc_now
from leukoscope.web.bench_link import BenchLink
from leukoscope.web.database import Databases
from leukoscope.web.device_reports import DeviceReports
from leukoscope.web.page_server import Site
from leukoscope.web.server import address_of, listening, new_code, serve
from leukoscope.web.teaching import Teaching
from leukoscope.web.upkeep import Upkeep
from leukoscope.web_settings import WebSettings


def main() -> None:
    """Serve the page of one device; an error on purpose becomes one line and exit code 2."""
    parser = argparse.ArgumentParser(prog="leukoscope web")
    parser.add_argument("device", help="what the settings of the bench say, as JSON")
    try:
        serve_device(json.loads(parser.parse_args().device))
    except LeukoscopeError as error:
        print(f"leukoscope: {error}", file=sys.stderr)
        sys.exit(2)


def serve_device(arguments: dict[str, Any]) -> None:
    """Serve until it is asked to stop.

    Args:
        arguments: site, device, software_version, boot_id, storage, bench, signing, live, segmenter, classifier, web.

    Raises:
        OutboxError: the device has not run yet.
        SettingsError: the address is taken.
    """
    storage = Path(str(arguments["storage"]))
    path = storage / "outbox.sqlite"
    if not path.exists():
        raise OutboxError(f"no outbox at {path}", "has this bench run yet?")
    names = (str(arguments[key]) for key in ("site", "device", "software_version", "boot_id"))
    settings = WebSettings.model_validate(arguments["web"])
    rule = SigningRule(**arguments["signing"])
    with Outbox.open(path, owner=False) as outbox:
        identity = Identity(*names)
        desk = desk_of(outbox, storage, identity, utc_now, signing=rule, checks_beside=True)
        reports = DeviceReports(desk, Path(str(arguments["bench"])), storage)
        databases = Databases(lambda: PageDatabase(storage / "web.sqlite"))
        bench = BenchLink(Path(str(arguments["live"])))
        file = Path(str(arguments["bench"]))
        teaching = Teaching(outbox, file, storage, str(arguments["classifier"]))
        upkeep = Upkeep(file, storage, (str(arguments["segmenter"]), str(arguments["classifier"])), utc_now)
        title = f"{identity.site}/{identity.device}"
        site = Site.of(
            title,
            settings,
            rule,
            databases,
            reports,
            new_code(),
            bench=bench,
            teaching=teaching,
            upkeep=upkeep,
            run_history=History(storage),
        )
        site.worklist.catch_up()
        with listening(settings) as made:
            print(f"The page is at {address_of(settings, made)}", flush=True)
            if not site.accounts.any():
                print(f"Code for the first administrator: {site.setup_code}", flush=True)
            serve(site, made)
        teaching.stop()
        upkeep.stop()


if __name__ == "__main__":
    main()
