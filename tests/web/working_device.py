"""A device as a process of its own, between samples: it sends its reports and takes steps, until it is killed.

python -m tests.web.working_device FOLDER PORT
"""

import random
import sys
import time
from pathlib import Path

from leukoscope.delivery import MqttSettings
from leukoscope.messages.command import CommandName
from leukoscope.outbox.command_inbox import CommandInbox
from leukoscope.outbox.store import Outbox
from leukoscope.reviewing.desk import desk_of
from leukoscope.service.remote_commands import RemoteCommands
from leukoscope.system.clock import utc_now
from tests.brokers import HOST
from tests.messages.examples import IDENTITY


def main(folder: Path, port: int) -> None:
    quick = {"first_retry_s": 0.05, "longest_retry_s": 0.3, "ack_timeout_s": 2, "connect_timeout_s": 2}
    mqtt = MqttSettings.model_validate({"host": HOST, "port": port} | quick)
    with Outbox.open(folder / "outbox.sqlite") as outbox:
        inbox = CommandInbox(outbox, IDENTITY, (CommandName.REVIEW,), now=utc_now)
        desk = desk_of(outbox, folder, IDENTITY, utc_now)
        sender = mqtt.open(outbox, IDENTITY, now=utc_now, rng=random.Random(), commands=inbox)
        sender.start()
        remote = RemoteCommands(folder, inbox, object(), desk, sender.wake)  # type: ignore[arg-type]
        print("works", flush=True)
        while True:
            remote.carry_out()
            time.sleep(0.02)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
