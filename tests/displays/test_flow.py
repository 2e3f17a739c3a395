"""Paragraphs shared out over too little room."""

from hypothesis import given
from hypothesis import strategies as st

from leukoscope.displays import dots
from leukoscope.displays.flow import flow, wrapped

prose = st.text("ab cd efg   h", max_size=60)


def ten_letters(text: str) -> str:
    return text if len(text) <= 10 else text[:8] + ".."


def test_lines_break_between_words_and_cut_a_word_that_is_too_long() -> None:
    assert wrapped("put the smear on", ten_letters) == ["put the", "smear on"]
    assert wrapped("a incomprehensibly b", ten_letters) == ["a", "incompre..", "b"]


def test_the_longest_paragraph_is_cut_first_and_says_so() -> None:
    said = flow(["one", "these are so many words that they never fit"], ten_letters, 3)
    assert said == [(0, "one"), (1, "these are"), (1, "so many ..")]


def test_with_fewer_lines_than_paragraphs_the_rest_is_counted() -> None:
    assert flow(["a", "b", "c", "d"], ten_letters, 3) == [(0, "a"), (1, "b"), (2, "+2 more")]


@given(paragraphs=st.lists(prose, max_size=6), room=st.integers(0, 8))
def test_whatever_is_said_fits_and_stays_in_order(paragraphs: list[str], room: int) -> None:
    said = flow(paragraphs, ten_letters, room)
    assert len(said) <= max(0, room)
    assert all(len(line) <= 10 for _, line in said)
    assert [index for index, _ in said] == sorted(index for index, _ in said)


@given(text=st.text(max_size=40), room=st.integers(0, 200))
def test_dot_letters_are_cut_to_the_room_there_is(text: str, room: int) -> None:
    assert dots.width(dots.shortened(text, room)) <= room


def test_every_printable_letter_has_a_dot_picture_of_its_own() -> None:
    letters = [chr(code) for code in range(ord("!"), ord("~") + 1)]
    assert len({(dots.stencil(letter).size, dots.stencil(letter).tobytes()) for letter in letters}) == len(letters)
