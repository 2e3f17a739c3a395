"""Comments, docstrings and pages keep to plain words."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.test_docs import PAGES, ROOT

NOT_PLAIN = re.compile(
    r"\b(whoever|somebody|told|afar|fares|quarrel|hitherto|thereof|lest|vitals|samplebook|flights|trending)\b",
    re.IGNORECASE,
)
FOLDERS = ("device/leukoscope", "device/leukoscope_collector", "device/examples", "tools", "models/recipes", "tests")


def sentences(source: str) -> Iterator[tuple[int, str]]:
    """Comments and docstrings, fields' too, by the number of the line they begin in."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value


def not_plain(source: str) -> list[tuple[int, str]]:
    if NOT_PLAIN.search(source) is None:
        return []
    return [(line, word) for line, text in sentences(source) for word in NOT_PLAIN.findall(text)]


def scripts() -> list[Path]:
    """The programs of a folder that are not Python: what they say in comments counts too."""
    here = (*(ROOT / "tools").iterdir(), *(ROOT / "systemd").iterdir())
    return [path for path in here if path.is_file() and path.suffix != ".py"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_comments_and_docstrings_keep_to_plain_words(folder: str) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))
    found = {str(file.relative_to(ROOT)): not_plain(file.read_text("utf-8")) for file in files}
    assert {name: words for name, words in found.items() if words} == {}


def test_scripts_and_units_keep_to_plain_words() -> None:
    found = {path.name: NOT_PLAIN.findall(path.read_text("utf-8")) for path in scripts()}
    assert len(found) > 20
    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.parametrize("page", [page for page in PAGES if "/decisions/" not in page])
def test_pages_keep_to_plain_words(page: str) -> None:
    assert NOT_PLAIN.findall((ROOT / page).read_text("utf-8")) == []


def test_a_word_that_is_not_plain_is_found_wherever_a_sentence_may_stand() -> None:
    source = '"""Whoever comes."""\nlimit = 3  # somebody said so\n"""What was told."""\ntold = "whoever"\n'
    assert sorted(not_plain(source)) == [(1, "Whoever"), (2, "somebody"), (3, "told")]
