"""Every error says what happened and what to do, hands both on, and no code reads them out of a sentence."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

import leukoscope
from leukoscope.errors import CameraError, LeukoscopeError

DEVICE = Path(leukoscope.__file__).parents[1]
SOURCES = sorted(DEVICE.rglob("*.py"))
CUTTING = {"split", "rsplit", "partition", "rpartition", "removeprefix", "removesuffix", "find", "index", "startswith"}


def kinds() -> set[str]:
    """The names of LeukoscopeError and of all that inherit from it, wherever they are."""
    bases = {
        node.name: {base.id for base in node.bases if isinstance(base, ast.Name)}
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    }
    known, grown = set[str](), {LeukoscopeError.__name__}
    while grown != known:
        known, grown = grown, grown | {name for name, above in bases.items() if above & grown}
    return known


KINDS = kinds()


def without_todo(source: str) -> Iterator[int]:
    """Lines on which an error is made that says nothing to do."""
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Name) and call.func.id in KINDS:
            given = {keyword.arg: keyword.value for keyword in call.keywords}
            todo = call.args[1] if len(call.args) > 1 else given.get("todo")
            if todo is None or (isinstance(todo, ast.Constant) and not str(todo.value).strip()):
                yield call.lineno


def losing_todo(source: str) -> Iterator[int]:
    """Lines on which the whole text of an error of ours becomes what happened, or a part of it, of another."""
    for handler in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ExceptHandler)):
        if not (handler.name and handler.type and caught(handler.type) & KINDS):
            continue
        for call in (node for node in ast.walk(handler) if isinstance(node, ast.Call)):
            if isinstance(call.func, ast.Name) and call.func.id in KINDS:
                happened = call.args[0] if call.args else None
                if happened is not None and any(is_text_of(part, handler.name) for part in ast.walk(happened)):
                    yield call.lineno


def caught(kind: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(kind) if isinstance(node, ast.Name)}


def is_text_of(node: ast.AST, name: str) -> bool:
    """Whether this is `str(error)` or `{error}` in an f-string."""
    match node:
        case ast.Call(func=ast.Name(id="str"), args=[ast.Name(id=given)]):
            return given == name
        case ast.FormattedValue(value=ast.Name(id=given)):
            return given == name
    return False


def parsing_prose(source: str) -> Iterator[int]:
    """Lines on which the text of an error is cut at a separator or searched for words.

    `split()` without a separator is none: it puts what a library says in several lines into one.
    """
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(value=text, attr=method), args=[_, *_]):
                if method in CUTTING and is_said(text):
                    yield node.lineno
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[text]):
                if is_said(text):
                    yield node.lineno


def is_said(text: ast.expr) -> bool:
    match text:
        case ast.Call(func=ast.Name(id="str"), args=[ast.Name(id=name)]):
            return name in {"error", "problem", "fault", "exception"}
        case ast.Attribute(attr="happened" | "todo"):
            return True
    return False


@pytest.mark.parametrize("search", [without_todo, losing_todo, parsing_prose])
def test_no_line_of_the_device_and_the_centre_makes_an_error_of_less_than_both(search) -> None:
    found = [f"{path.relative_to(DEVICE)}:{line}" for path in SOURCES for line in search(path.read_text())]
    assert found == []


def test_the_searches_find_what_they_look_for() -> None:
    assert {"CameraTimeout", "StoreUnavailable", "SignInRefused"} <= KINDS
    assert list(without_todo('raise CameraError("gone")\nraise CameraError("gone", " ")')) == [1, 2]
    assert list(without_todo('raise CameraError("gone", todo="plug it in")')) == []
    wrapped = 'try:\n    f()\nexcept CameraError as problem:\n    raise SettingsError({}, "look") from problem'
    assert list(losing_todo(wrapped.format('f"camera: {problem}"'))) == [4]
    assert list(losing_todo(wrapped.format("str(problem)"))) == [4]
    assert list(losing_todo(wrapped.format("problem.happened"))) == []
    assert list(parsing_prose('a = str(error).rpartition(": ")\nb = "gone" in error.happened')) == [1, 2]
    assert list(parsing_prose('" ".join(str(error).split())')) == []


def test_an_error_cannot_be_made_without_something_to_do() -> None:
    assert inspect.signature(LeukoscopeError).parameters["todo"].default is inspect.Parameter.empty
    with pytest.raises(TypeError):
        CameraError("gone")  # type: ignore[call-arg]
