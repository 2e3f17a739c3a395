"""What happens to the nodes, databases and collectors of a cluster while a fleet reports to it."""

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from fleet_simulation.patroni import ScratchPatroni
from fleet_simulation.postgres import ServerError
from fleet_simulation.rabbitmq import BrokerNode, ScratchCluster
from fleet_simulation.servers import Program
from fleet_simulation.worker import Orders, ready_file

_LOOK_S = 0.5
_BEGIN_S = 300.0
_BACK_S = 60.0
"""For which a lost node stays away, so that its devices find another."""


@dataclass(frozen=True, slots=True)
class ClusterFaults:
    """Happenings one after the other; each yields what it was."""

    cluster: ScratchCluster
    database: ScratchPatroni
    collectors: list[Program]
    rng: Random
    pause_s: float

    def all_of(self, arguments: argparse.Namespace, orders: Sequence[Orders]) -> Iterator[str]:
        """Everything that the command asks for, once the devices report.

        Args:
            arguments: of the command.
            orders: of each process of devices.

        Raises:
            ServerError: the devices do not begin.
        """
        until = time.monotonic() + _BEGIN_S
        while not all(ready_file(one).exists() for one in orders):
            if time.monotonic() > until:
                raise ServerError("the devices do not begin", "see the logs of their processes")
            time.sleep(_LOOK_S)
        if arguments.lost_node:
            yield self.lose_first_node()
        for number in range(arguments.kills):
            for node in self.cluster.nodes:
                yield f"{self.kill(node)} ({number + 1} of {arguments.kills})"
                yield self.kill_collector()
        for number in range(arguments.upgrades):
            for index in range(len(self.cluster.nodes)):
                yield f"{self.upgrade(index)} ({number + 1} of {arguments.upgrades})"
        for number in range(arguments.promotions):
            yield f"{self.kill_primary()} ({number + 1} of {arguments.promotions})"
        if arguments.cut_s:
            yield self.cut(arguments.cut_s)

    def kill(self, node: BrokerNode) -> str:
        """kill -9 of a node, which comes back after some pauses."""
        self._pause()
        node.kill()
        self._pause()
        node.start()
        self.cluster.wait_until_up()
        return f"{node.node.name} killed"

    def kill_collector(self) -> str:
        """kill -9 of one of them."""
        self._pause()
        victim = self.rng.choice(self.collectors)
        victim.kill()
        time.sleep(self.rng.uniform(0.1, 1.0))
        victim.start()
        return f"{victim.log.stem} killed"

    def lose_first_node(self) -> str:
        """kill -9 of the node that every device is on; the others have to take all of them."""
        self._pause()
        first = self.cluster.nodes[0]
        first.kill()
        time.sleep(_BACK_S)
        first.start()
        self.cluster.wait_until_up()
        return f"{first.node.name} killed with every device on it, and away for {_BACK_S:.0f} s"

    def upgrade(self, index: int) -> str:
        """Take a node out of service and back in as an operator does to exchange its programs."""
        node = self.cluster.nodes[index]
        self.cluster.wait_until_spare(index)
        self.cluster.control_with("rabbitmq-upgrade", "drain", node=index)
        node.stop()
        node.start()
        self.cluster.wait_until_up()
        return f"{node.node.name} taken out of service, stopped and started"

    def kill_primary(self) -> str:
        """kill -9 of the database that takes writes; it comes back as the standby."""
        self.database.wait_for_primary()
        self.database.wait_for_standby()
        killed = self.database.kill_primary()
        began = time.monotonic()
        self.database.wait_for_primary()
        after_s = time.monotonic() - began
        self.database.nodes[killed].start()
        self.database.wait_for_standby()
        return f"primary database killed, the other took over after {after_s:.0f} s"

    def cut(self, cut_s: float) -> str:
        """Pull the cable of the last node, or stop the process of one."""
        network = self.cluster.network
        if network is not None:
            network.cut()
            time.sleep(cut_s)
            network.mend()
            what = f"network of {self.cluster.nodes[-1].node.name} cut for {cut_s:.0f} s"
        else:
            silent = self.rng.choice(self.cluster.nodes)
            silent.freeze()
            time.sleep(cut_s)
            silent.thaw()
            what = f"{silent.node.name} silent for {cut_s:.0f} s"
        self.cluster.wait_until_up()
        return what

    def _pause(self) -> None:
        time.sleep(self.pause_s * self.rng.uniform(1.0, 4.0))
