"""The list fits the code, and the replay tells red from green; `python -m tests.mutations` replays all of it."""

import ast

import pytest

from tests.mutations.mutation import ROOT, Mutation, mutations
from tests.mutations.replay import GREEN, RED, replay, run_tests, scratch_copy

EACH = pytest.mark.parametrize("mutation", mutations(), ids=lambda one: one.name)


@EACH
def test_a_mutation_alters_its_file_and_leaves_it_a_program(mutation: Mutation) -> None:
    text = (ROOT / mutation.file).read_text("utf-8")
    altered = mutation.applied(text)
    assert altered != text
    ast.parse(altered)


@EACH
def test_the_tests_of_a_mutation_are_there(mutation: Mutation) -> None:
    for test in mutation.tests:
        path, _, name = test.partition("::")
        assert f"def {name}" in (ROOT / path).read_text("utf-8")


def test_a_change_is_noticed_and_no_change_is_not() -> None:
    exchanged = next(one for one in mutations() if one.swap is not None)
    assert replay(exchanged).returncode == RED
    with scratch_copy() as copy:
        assert run_tests(copy, exchanged.tests).returncode == GREEN


def test_a_text_that_is_not_there_or_stands_twice_is_refused() -> None:
    mutation = Mutation(name="x", file="x.py", old="1", new="2", tests=("x",))
    for text in ("", "1 1"):
        with pytest.raises(ValueError, match="expected once"):
            mutation.applied(text)
