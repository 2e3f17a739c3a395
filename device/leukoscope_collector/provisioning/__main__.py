"""The command `leukoscope-provision`."""

import argparse
import getpass
import sys
from datetime import UTC, datetime
from pathlib import Path

from leukoscope.errors import LeukoscopeError
from leukoscope.system.standard_output import written_whole
from leukoscope_collector.provisioning.cluster_site import ClusterSite, hosts_file
from leukoscope_collector.provisioning.earlier_choices import EarlierChoices
from leukoscope_collector.provisioning.site import Site


def main() -> None:
    """Make what is missing; an error on purpose becomes one line and exit code 2."""
    parser = argparse.ArgumentParser(
        prog="leukoscope-provision",
        description="Makes a site's certificate authority, a mosquitto configuration that lets everybody do no more "
        "than they must, and a folder for each device, collector and operator. Run it again to add more: "
        "what is there stays.",
    )
    parser.add_argument("folder", type=Path, help="where everything goes; keep its authority/ offline and secret")
    parser.add_argument("--host", action="append", default=[], help="the broker's name or address; may be repeated")
    parser.add_argument("--port", type=int, help="where the broker listens (as before; 8883 the first time)")
    parser.add_argument("--device", action="append", default=[], metavar="SITE/DEVICE", help="may be repeated")
    parser.add_argument("--collector", action="append", default=[], metavar="NAME", help="may be repeated")
    parser.add_argument("--operator", action="append", default=[], metavar="NAME", help="a person who sends commands")
    parser.add_argument(
        "--web",
        action="append",
        default=[],
        metavar="NAME=HOST[,HOST]",
        help="a certificate for the review page of a device or collector, which browsers reach by these names",
    )
    parser.add_argument("--revoke", action="append", default=[], metavar="NAME", help="its certificate counts no more")
    parser.add_argument("--days", type=int, default=825, help="how long certificates are valid (825)")
    parser.add_argument("--installed-at", type=Path, help="where the folder lies on the device, as /etc/leukoscope/tls")
    parser.add_argument("--broker-user", help="the user the broker runs as (as before; you the first time)")
    parser.add_argument("--autosave-s", type=int, help="seconds between the broker's saves (as before; 10)")
    parser.add_argument(
        "--cluster", action="store_true", help="three or five RabbitMQ nodes, one for each --host, instead of mosquitto"
    )
    parser.add_argument(
        "--nodes-at", type=Path, help="where a node's folder lies on its machine (as before; /etc/rabbitmq)"
    )
    arguments = parser.parse_args()
    try:
        with written_whole():
            what_next, made = _provision(arguments)
            print(what_next)
            for folder in made:
                print(folder)
    except LeukoscopeError as error:
        print(f"provision: {error}", file=sys.stderr)
        sys.exit(2)


def _provision(arguments: argparse.Namespace) -> tuple[str, list[Path]]:
    """What to run next, and the folders of the holders that were named."""
    now = datetime.now(UTC)
    folder: Path = arguments.folder
    # What is not named now stays as it was: clients and the broker's unit rely on it.
    before = EarlierChoices.of(folder)
    port = arguments.port or before.port or 8883
    if arguments.cluster or hosts_file(folder).exists():
        nodes_at = arguments.nodes_at or before.nodes_at or Path("/etc/rabbitmq")
        cluster = ClusterSite.on_hosts(
            folder, arguments.host, port=port, nodes_at=nodes_at, days=arguments.days, now=now
        )
        made = _holders(cluster, arguments)
        return f"on one node, when all are up: {cluster.write_cluster()}", made
    site = Site(folder, hosts=arguments.host, port=port, days=arguments.days, now=now)
    made = _holders(site, arguments)
    user = arguments.broker_user or before.user or getpass.getuser()
    autosave_s = arguments.autosave_s or before.autosave_s or 10
    return f"mosquitto -c {site.write_broker(user=user, autosave_s=autosave_s)}", made


def _holders(site: Site, arguments: argparse.Namespace) -> list[Path]:
    made = [site.add_device(name, arguments.installed_at) for name in arguments.device]
    made += [site.add_collector(name) for name in arguments.collector]
    made += [site.add_operator(name) for name in arguments.operator]
    for name, _, hosts in (one.partition("=") for one in arguments.web):
        made.append(site.add_web(name, hosts.split(","), arguments.installed_at))
    for name in arguments.revoke:
        site.revoke(name)
    return made


if __name__ == "__main__":
    main()
