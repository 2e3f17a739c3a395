"""The command `leukoscope-collector`."""

import argparse
import logging
import os
import random
import signal
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from leukoscope.errors import LeukoscopeError, SettingsError
from leukoscope.system.standard_output import written_whole

try:
    from leukoscope_collector import send_command
    from leukoscope_collector.collector import Collector
    from leukoscope_collector.collector_settings import CollectorSettings
    from leukoscope_collector.copying import copy
    from leukoscope_collector.metrics import Metrics
    from leukoscope_collector.partitioning import drop_before, partition
    from leukoscope_collector.postgres_store import PostgresSettings, PostgresStore
    from leukoscope_collector.showing import picture, reports, write_pictures
    from leukoscope_collector.sqlite_store import SqliteSettings
except ModuleNotFoundError as error:
    # The device's own installation brings the command without what the central side needs.
    print(f"leukoscope-collector: {error.name} is not installed: pip install 'leukoscope[collector]'", file=sys.stderr)
    sys.exit(2)


def main() -> None:
    """Collect until SIGTERM or SIGINT, or send a command; an error on purpose becomes one line and exit code 2."""
    try:
        with written_whole():
            _main()
    except LeukoscopeError as error:
        print(f"collector: {error}", file=sys.stderr)
        sys.exit(2)


def _main() -> None:
    if sys.argv[1:2] == ["send"]:
        sys.exit(send_command.main(sys.argv[2:]))
    if sys.argv[1:2] == ["web"]:
        _serve_page(sys.argv[2:])
        return
    arguments = _parser().parse_args()
    # The journal has a clock of its own.
    words = "%(message)s" if "JOURNAL_STREAM" in os.environ else "%(asctime)s %(message)s"
    logging.basicConfig(level=logging.INFO, format=words, stream=sys.stderr)
    # It fills pages with every connection that fails; what it raises becomes one line of ours.
    logging.getLogger("pika").setLevel(logging.CRITICAL)
    settings = CollectorSettings.read(arguments.settings, **({"name": arguments.name} if arguments.name else {}))
    if arguments.metrics_port is not None:
        metrics = settings.metrics.model_copy(update={"port": arguments.metrics_port})
        settings = settings.model_copy(update={"metrics": metrics})
    if arguments.search is not None or arguments.critical:
        _find(settings, arguments.search or "", critical=arguments.critical)
        return
    if arguments.show or arguments.pictures:
        _show(settings, arguments.pictures, arguments.to)
        return
    if arguments.copy_to is not None:
        sys.exit(0 if _copy(settings, CollectorSettings.read(arguments.copy_to)) else 1)
    if arguments.partition or arguments.drop_before:
        _change_months(settings, arguments.drop_before)
        return
    collector = Collector(settings, served := Metrics(), now=_now, rng=random.Random())
    if arguments.check:
        collector.check()
        print(f"{settings.broker.where} and {settings.store.where} answer")
        return
    served.serve(settings.metrics)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: collector.stop())
    collector.run()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="leukoscope-collector",
        description="Keeps the reports of many devices: SQLite or PostgreSQL, each report once. "
        "Without a settings file: the broker at 127.0.0.1:1883, out/collector/reports.sqlite3. "
        "`leukoscope-collector send SITE/DEVICE COMMAND` commands a device (send --help).",
    )
    parser.add_argument(
        "--settings", type=Path, metavar="FILE.toml", help="what device/leukoscope_collector/README.md describes"
    )
    parser.add_argument("--name", help="unique and lasting; each collector beside another needs its own")
    parser.add_argument("--metrics-port", type=int, metavar="PORT", help="where Prometheus asks; 0 for none")
    parser.add_argument("--check", action="store_true", help="connect to broker and store once, say so and end")
    parser.add_argument("--show", action="store_true", help="print what is stored and end")
    parser.add_argument(
        "--search", metavar="TEXT", help="print the reports in force whose specimen or id holds this, and end"
    )
    parser.add_argument(
        "--critical",
        action="store_true",
        help="print the reports in force with blasts that are likely or certain, and end",
    )
    parser.add_argument("--pictures", metavar="REPORT", help="write the pictures of a report's white cells and end")
    parser.add_argument("--to", type=Path, metavar="FOLDER", default=Path("out/cells"), help="where (out/cells)")
    parser.add_argument(
        "--partition", action="store_true", help="bring the reports of a PostgreSQL store into months and end"
    )
    parser.add_argument(
        "--drop-before", type=_month, metavar="YYYY-MM", help="drop the months of reports before this one and end"
    )
    parser.add_argument(
        "--copy-to",
        type=Path,
        metavar="FILE.toml",
        help="copy the SQLite store into the PostgreSQL store of these settings and end; run again, it goes on",
    )
    return parser


def _serve_page(words: list[str]) -> None:
    try:
        from leukoscope_collector.web.__main__ import main as serve_page
    except ModuleNotFoundError as error:
        print(f"collector: {error.name} is not installed: pip install 'leukoscope[collector,web]'", file=sys.stderr)
        sys.exit(2)
    serve_page(words)


def _show(settings: CollectorSettings, report: str | None, folder: Path) -> None:
    store = settings.store.open()
    try:
        if report is None:
            Console(markup=False).print(picture(store))
        else:
            print(f"{write_pictures(store, report, folder)} pictures in {folder}")
    finally:
        store.close()


def _find(settings: CollectorSettings, search: str, *, critical: bool) -> None:
    store = settings.store.open()
    try:
        Console(markup=False).print(reports(store, search, critical=critical))
    finally:
        store.close()


def _copy(source: CollectorSettings, target: CollectorSettings) -> bool:
    if not isinstance(source.store, SqliteSettings) or not isinstance(target.store, PostgresSettings):
        raise SettingsError(
            "--copy-to copies from SQLite to PostgreSQL",
            "--settings names a SQLite [store], and --copy-to settings with a PostgreSQL one",
        )
    if not source.store.file.is_file():
        raise SettingsError(f"there is no store {source.store.file}", "check [store] of --settings")
    with closing(source.store.open()) as old, closing(target.store.open()) as new:
        return copy(old, new, print)


def _month(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)


def _change_months(settings: CollectorSettings, drop_until: datetime | None) -> None:
    store = settings.store.open()
    try:
        if not isinstance(store, PostgresStore):
            raise SettingsError(
                "reports are in months only in PostgreSQL: see [store]", "name a PostgreSQL database in [store]"
            )
        if drop_until is not None:
            print(f"{drop_before(store, drop_until, print)} months dropped")
        elif not partition(store, _now(), print):
            print("the reports are in months already")
    finally:
        store.close()


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
