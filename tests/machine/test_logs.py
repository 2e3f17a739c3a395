import logging

import pytest

from leukoscope.system.log_setup import QUIET_S, Logfmt, Repeats


def record(level: int, message: str, *values: object) -> logging.LogRecord:
    return logging.LogRecord("leukoscope", level, "/x/publisher.py", 1, message, values, None)


@pytest.mark.parametrize(
    ("level", "begins"),
    [
        (logging.CRITICAL, "<2>level=critical"),
        (logging.ERROR, "<3>level=error"),
        (logging.WARNING, "<4>level=warning"),
        (logging.INFO, "<6>level=info"),
        (logging.DEBUG, "<7>level=debug"),
    ],
)
def test_journald_gets_one_line_with_its_priority(level: int, begins: str) -> None:
    line = Logfmt().format(record(level, 'it said "%s"\nand left', "no"))
    assert line == f'{begins} part=publisher msg="it said \\"no\\"\\nand left"'


def test_an_exception_stays_on_the_line() -> None:
    try:
        raise ValueError("odd")
    except ValueError as error:
        failed = record(logging.ERROR, "failed")
        failed.exc_info = (type(error), error, error.__traceback__)
    line = Logfmt().format(failed)
    assert "ValueError: odd" in line
    assert "\n" not in line


def test_what_repeats_itself_is_said_once_a_minute_and_counted() -> None:
    clock = iter(range(0, int(2 * QUIET_S) + 1, 10))
    repeats = Repeats(lambda: float(next(clock)))
    said = [record(logging.WARNING, "no frame within %d s", 5) for _ in range(13)]
    passed = [one.getMessage() for one in said if repeats.filter(one)]
    assert passed == ["no frame within 5 s", *["no frame within 5 s (and 5 times more)"] * 2]


def test_different_words_and_lost_reports_are_never_held_back() -> None:
    repeats = Repeats(lambda: 0.0)
    assert all(repeats.filter(record(logging.WARNING, f"frame {number}")) for number in range(500))
    assert all(repeats.filter(record(logging.CRITICAL, "a report that could not be kept")) for _ in range(3))
