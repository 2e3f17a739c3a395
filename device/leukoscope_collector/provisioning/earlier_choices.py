"""What an earlier run chose for a site's broker, read from the files that it wrote: it holds until another is named."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_CHOSEN = {
    "port": r"listener (\d+)|mqtt\.listeners\.ssl\.1 = \S*:(\d+)",
    "user": r"user (\S+)",
    "autosave_s": r"autosave_interval (\d+)",
    "nodes_at": r"ssl_options\.cacertfile = (\S+)/ca\.pem",
}


@dataclass(frozen=True, slots=True)
class EarlierChoices:
    """None for what no file says."""

    port: int | None
    user: str | None
    """The broker runs as it."""
    autosave_s: int | None
    nodes_at: Path | None
    """Where a node's folder lies on its machine, for a cluster."""

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Of a site's folder, which may not be there yet."""
        files = [folder / "broker" / "mosquitto.conf", *sorted(folder.glob("cluster/*/rabbitmq.conf"))]
        said = "".join(file.read_text() for file in files if file.is_file())
        found = {name: re.search(f"^(?:{line})$", said, re.MULTILINE) for name, line in _CHOSEN.items()}
        words = {name: next(filter(None, match.groups())) if match else None for name, match in found.items()}
        port, autosave_s, nodes_at = words["port"], words["autosave_s"], words["nodes_at"]
        return cls(
            None if port is None else int(port),
            words["user"],
            None if autosave_s is None else int(autosave_s),
            None if nodes_at is None else Path(nodes_at),
        )
