"""Every setting of a bench as it is in force, those that the file does not name among them, and no secret."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leukoscope.doctor.left_out import LEFT_OUT, is_secret
from leukoscope.errors import without_logins
from leukoscope.schema import table_of
from leukoscope.settings import BenchSettings


@dataclass(frozen=True, slots=True)
class SettingInForce:
    """One setting."""

    name: str
    """As "counting.white_cells" or "displays[0].driver"."""
    value: str
    """As JSON; a secret is left out."""
    given: bool
    """The file names it; False: it is what the software takes where the file says nothing."""


def settings_in_force(bench: Path) -> Iterator[SettingInForce]:
    """The settings of a file, in the order in which the software knows them.

    Raises:
        SettingsError: the file is not there or wrong.
    """
    settings = BenchSettings.read(bench)
    yield from _leaves("", settings.model_dump(mode="json"), table_of(bench.read_bytes()))


def _leaves(name: str, value: Any, given: Any) -> Iterator[SettingInForce]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            there = given[key] if isinstance(given, Mapping) and key in given else _ABSENT
            if is_secret(key) and inner is not None:
                yield SettingInForce(_joined(name, key), LEFT_OUT, there is not _ABSENT)
            else:
                yield from _leaves(_joined(name, key), inner, there)
    elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
        for place, inner in enumerate(value):
            there = given[place] if isinstance(given, list) and place < len(given) else _ABSENT
            yield from _leaves(f"{name}[{place}]", inner, there)
    else:
        shown = without_logins(json.dumps(value, ensure_ascii=False))
        yield SettingInForce(name, shown, given is not _ABSENT)


_ABSENT = object()


def _joined(name: str, key: str) -> str:
    return f"{name}.{key}" if name else key
