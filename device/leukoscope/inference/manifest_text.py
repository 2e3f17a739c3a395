"""Writes the text of a bundle's manifest, and says what the files are called that stand beside the networks."""

import json
from collections.abc import Mapping
from typing import Any

GOLDEN, HEAD, KNOWN, VALIDATION = "golden.npz", "head.npz", "known.npz", "validation.json"


def as_toml(table: Mapping[str, Any], prefix: str = "") -> str:
    """Plain TOML: values first, then tables; a list of tables becomes inline tables, one a line."""
    lines, tables = [], []
    for key, value in table.items():
        if isinstance(value, Mapping):
            tables.append(f"\n[{prefix}{key}]\n{as_toml(value, f'{prefix}{key}.')}")
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            rows = ",\n".join(
                "    { " + ", ".join(f"{name} = {json.dumps(one)}" for name, one in row.items()) + " }" for row in value
            )
            lines.append(f"{key} = [\n{rows},\n]")
        else:
            lines.append(f"{key} = {json.dumps(value, ensure_ascii=False)}")
    return "\n".join(lines) + "\n" + "".join(tables)
