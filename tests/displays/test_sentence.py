"""A text that knows its id and values, and is English until it is shown."""

import pickle

from leukoscope.displays.language import words_of
from leukoscope.errors import CameraError
from leukoscope.sentence import Sentence, Verbatim, one_after_another

GONE = Sentence("the camera at {place} is gone", place="/dev/video0")


def test_a_sentence_is_the_english_text_and_keeps_what_it_was_made_from() -> None:
    assert GONE == "the camera at /dev/video0 is gone"
    assert (GONE.id, GONE.values) == ("the camera at {place} is gone", {"place": "/dev/video0"})


def test_an_error_from_another_process_is_translated_too() -> None:
    error = pickle.loads(pickle.dumps(CameraError(GONE, "plug it in")))
    words = words_of("fr")
    assert words(error.happened) == words(GONE) != str(GONE)
    assert "/dev/video0" in words(GONE)


def test_values_are_translated_but_for_names() -> None:
    words = words_of("fr")
    assert words(Sentence("{part}: done", part="Scale")) == words("Scale") + words("{part}: done")[len("{part}") :]
    assert words(Sentence("{part}: done", part=Verbatim("Scale"))).startswith("Scale")


def test_a_sentence_goes_on() -> None:
    longer = Sentence("sharpness {now}, best {best}", now=1, best=2).and_also(", reference {reference}", reference=3)
    assert longer == "sharpness 1, best 2, reference 3"
    assert longer.id == "sharpness {now}, best {best}, reference {reference}"
    assert words_of("es")(longer) != longer


def test_warnings_behind_one_another_are_each_translated() -> None:
    words = words_of("es")
    both = one_after_another(("", "Calibration is nominal", GONE))
    assert both == "Calibration is nominal; the camera at /dev/video0 is gone"
    assert words(both) == f"{words('Calibration is nominal')}; {words(GONE)}"
    assert one_after_another(()) == ""
