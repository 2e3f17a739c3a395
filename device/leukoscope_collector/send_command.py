"""The command `leukoscope-collector send`."""

import argparse
import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from leukoscope.errors import LeukoscopeError
from leukoscope.messages.command import CommandName
from leukoscope_collector.commanding import Order, send_command
from leukoscope_collector.operator_settings import OperatorSettings

SENT = [name.value for name in CommandName if name is not CommandName.REVIEW]
"""Steps of reports are taken on the review page."""


def main(words: list[str]) -> int:
    """Send one command; 0 when it was done, 1 when the device refused or failed, 2 when nothing became of it."""
    parser = argparse.ArgumentParser(
        prog="leukoscope-collector send",
        description="Sends a command to a device as the operator and waits for its result. The device does what "
        "commands.allow in its settings names, and nothing else.",
    )
    parser.add_argument("device", metavar="SITE/DEVICE", help="as clinic/scope-1")
    parser.add_argument("command", choices=SENT, help="what it is to do")
    parser.add_argument(
        "--settings", type=Path, required=True, metavar="FILE.toml", help="operators/NAME/operator.toml of the site"
    )
    parser.add_argument("--sample-id", metavar="ID", help="for start_sample: what the specimen is called, never a name")
    parser.add_argument("--again", action="store_true", help="for start_sample: also where the id was used before")
    parser.add_argument("--file", metavar="FILE.toml", help="for set_rules: a rules file beside the device's settings")
    parser.add_argument("--life-s", type=float, default=60.0, help="the device begins within so many seconds (60)")
    parser.add_argument("--timeout-s", type=float, default=30.0, help="how long to wait for the result (30)")
    parser.add_argument("--json", action="store_true", help="the result as one JSON object")
    given = parser.parse_args(words)
    site, _, device = given.device.partition("/")
    words_given = (("sample_id", given.sample_id), ("file", given.file), ("again", given.again))
    arguments = {key: value for key, value in words_given if value}
    order = Order(site, device, CommandName(given.command), arguments, timedelta(seconds=given.life_s))
    try:
        settings = OperatorSettings.read(given.settings)
        outcome = send_command(settings, order, now=datetime.now(UTC), timeout_s=given.timeout_s)
    except LeukoscopeError as error:
        print(f"send: {error}", file=sys.stderr)
        return 2
    if given.json:
        print(json.dumps(asdict(outcome)))
    else:
        print(f"{outcome.outcome}: {outcome.text}")
        for line in (outcome.report and f"report {outcome.report}", outcome.in_force and json.dumps(outcome.in_force)):
            if line:
                print(line)
    return 0 if outcome.outcome == "done" else 1
