"""Breaks a device in every way we know and prints what came of it; see `tools/faults --help`."""

import argparse
import logging
import sys
import time

from tests.faults import connections, copies, disks, files, kills, parts, powercut, servers
from tests.faults.campaign import Kind, Row, try_kind
from tests.faults.nursery import Nursery

KINDS: tuple[Kind, ...] = (
    kills.KILLS,
    kills.COMMITS,
    powercut.POWER,
    files.CALIBRATIONS,
    files.BUNDLES,
    files.FILES,
    *copies.KINDS,
    *disks.KINDS,
    *parts.KINDS,
    *servers.KINDS,
    *connections.KINDS,
)
HEAD = f"{'fault':26}{'tried':>7}{'survived':>9}{'lost':>5}{'doubled':>8}{'resumed':>8}{'restart s':>10}{'s':>6}"


def main() -> int:
    """Every kind of fault; 1 where one was not survived, or a report was lost or doubled."""
    parser = argparse.ArgumentParser(
        prog="tools/faults",
        description="Breaks a device on the simulated bench in every way we know, and counts what is lost.",
        epilog="lost: reports it had called finished that are nowhere; doubled: two that differ, or two of one sample; "
        "restart: the slowest from fork to ready, without the second that loading the program takes.",
    )
    parser.add_argument("--kills", type=int, default=100, help="kill -9 at moments of chance")
    parser.add_argument("--commits", type=int, default=30, help="kill -9 in the middle of database commits")
    parser.add_argument("--cuts", type=int, default=60, help="power cuts between two system calls")
    parser.add_argument("--files", type=int, default=0, help="spoilt files; 0: every file in every way")
    parser.add_argument("--full", type=int, default=30, help="sizes of a disk that fills up")
    parser.add_argument("--each", type=int, default=4, help="of everything else")
    parser.add_argument("--only", help="kinds whose name has this in it")
    parser.add_argument("--seed", type=int, default=0, help="other moments than those of seed 0")
    options = parser.parse_args()
    wanted = {
        kills.KILLS.name: options.kills,
        kills.COMMITS.name: options.commits,
        powercut.POWER.name: options.cuts,
        files.FILES.name: options.files,
        "disk full": options.full,
    }
    print(HEAD, flush=True)
    logging.disable()
    bad = False
    with Nursery() as nursery:
        for kind in KINDS:
            if options.only is None or options.only in kind.name:
                began_s = time.monotonic()
                row = try_kind(kind, nursery, wanted.get(kind.name, options.each), options.seed)
                tell(row, time.monotonic() - began_s)
                bad = bad or bool(row.failures)
    return int(bad)


def tell(row: Row, took_s: float) -> None:
    """A line with its numbers, and below it what the technician read."""
    if row.skipped:
        print(f"{row.name:26}   not tried: {row.skipped}", flush=True)
        return
    restart = f"{row.worst_restart_s:10.1f}" if row.worst_restart_s else f"{'':10}"
    print(
        f"{row.name:26}{row.tried:7,}{row.survived:9,}{row.lost:5}{row.doubled:8}{row.resumed:8}{restart}{took_s:6.0f}"
    )
    for said, times in row.message.most_common(3):
        print(f"      {times} x {said[:200]}")
    for failure in row.failures:
        print(f"      NOT SURVIVED: {failure}")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
