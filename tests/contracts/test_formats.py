"""Formats that have a writer are written by it: no line of the code puts TOML together."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for room in ("device", "tools", "models/recipes") for path in (ROOT / room).rglob("*.py"))
NO_TOML = {"describe_folder.py", "cluster_files.py"}
"""A template for people, with comments in their places, which tomli-w does not write; and rabbitmq.conf."""
_TOML = re.compile(r'^\[{1,2}[a-z_.]+\]{1,2}$|^"?[a-z_]+"? = ["{\[]', re.MULTILINE)


def toml_by_hand(source: str) -> Iterator[int]:
    """Lines of texts, f-strings too, that hold a table or a key of TOML; docstrings are for people."""
    tree = ast.parse(source)
    passed = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            passed |= {id(part) for part in node.values}
            parts = (str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
            text = "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passed:
            text = node.value
        else:
            continue
        if "\n" in text and _TOML.search(text):
            yield node.lineno


def test_no_toml_is_put_together_by_hand() -> None:
    texts = {path: path.read_text("utf-8") for path in SOURCES if path.name not in NO_TOML}
    assert {f"{path.relative_to(ROOT)}:{line}" for path, text in texts.items() for line in toml_by_hand(text)} == set()


def test_the_search_finds_toml_in_a_text_and_in_an_f_string() -> None:
    assert list(toml_by_hand('A = """\n[broker]\nport = 1\n"""')) == [1]
    assert list(toml_by_hand("def f(x):\n    return f'host = \"{x}\"\\ntls = true\\n'")) == [2]
    assert list(toml_by_hand('def f():\n    """Keys.\n\n    [broker]\n    """')) == []
    assert list(toml_by_hand('A = "[bold]no[/bold]"')) == []
