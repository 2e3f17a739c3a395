"""Names, badges and wrong tries, in a database of each kind."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from leukoscope.outbox.page_database import PageDatabase
from leukoscope.web import Databases
from leukoscope.web.accounts import AccountError, Accounts, Role, SignInRefused
from tests.collector.conftest import cluster, database

__all__ = ["cluster", "database"]
PIN, OTHER = "4711-ada", "0815-bo"


class Clock:
    """A clock that is put forward by hand."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def wait(self, minutes: float) -> None:
        self.at += timedelta(minutes=minutes)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["file", "server"])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Databases]:
    if request.param == "file":
        made = Databases(lambda: PageDatabase(tmp_path / "web.sqlite"))
    else:
        made = Databases(request.getfixturevalue("database").open)
    yield made
    made.close()


@pytest.fixture
def accounts(databases: Databases, clock: Clock) -> Accounts:
    made = Accounts(databases, clock)
    made.create("Émile Zoé", Role.REVIEWER, PIN, "B-0017")
    return made


@pytest.mark.parametrize(
    "typed", ["Émile Zoé", "émile zoé", "ÉMILE ZOÉ", " Émile Zoé ", "E\u0301mile Zoe\u0301", "b-0017"]
)
def test_a_person_signs_in_by_name_or_badge_in_large_or_small_letters(accounts: Accounts, typed: str) -> None:
    assert accounts.check(typed, PIN).name == "Émile Zoé"


@pytest.mark.parametrize(
    ("name", "badge"), [("émile zoé", ""), ("Bo", "b-0017"), ("b-0017", ""), ("Bo", "ÉMILE ZOÉ"), ("Bo", " B-0017 ")]
)
def test_no_name_or_badge_leads_to_two_accounts(accounts: Accounts, name: str, badge: str) -> None:
    with pytest.raises(AccountError, match="belongs to the account Émile Zoé"):
        accounts.create(name, Role.TECHNICIAN, OTHER, badge)


def test_people_without_a_badge_are_told_apart_and_nothing_typed_is_nobody(accounts: Accounts) -> None:
    accounts.create("Bo", Role.TECHNICIAN, OTHER)
    accounts.create("Cy", Role.TECHNICIAN, PIN)
    assert accounts.check("Bo", OTHER).name == "Bo"
    with pytest.raises(SignInRefused, match="do not belong together"):
        accounts.check("", OTHER)


def test_wrong_tries_by_name_and_by_badge_count_together(accounts: Accounts) -> None:
    for typed in ("Émile Zoé", "B-0017", "émile zoé"):
        with pytest.raises(SignInRefused, match="do not belong together"):
            accounts.check(typed, OTHER)
    for typed in ("B-0017", "Émile Zoé"):
        with pytest.raises(SignInRefused, match="too many wrong PINs"):
            accounts.check(typed, PIN)


def test_each_wrong_pin_makes_the_next_try_wait_twice_as_long(accounts: Accounts, clock: Clock) -> None:
    waits = []
    for number in range(8):
        with pytest.raises(SignInRefused, match="do not belong together"):
            accounts.check("Émile Zoé", f"{OTHER}-{number}")
        if number >= 2:
            with pytest.raises(SignInRefused, match=r"wait (\d+) s") as refused:
                accounts.check("Émile Zoé", PIN)
            waits.append(int(str(refused.value).split("wait ")[1].split(" ")[0]))
            clock.wait(waits[-1] / 60)
    assert waits == [1, 2, 4, 8, 16, 32]
    assert accounts.check("Émile Zoé", PIN).name == "Émile Zoé"


def test_strangers_fill_no_disk_and_make_no_one_s_wrong_tries_forgotten(
    accounts: Accounts, databases: Databases, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leukoscope.web.accounts._MOST_STRANGERS", 20)
    monkeypatch.setattr("leukoscope.web.accounts.is_secret", lambda secret, stored: secret == PIN)
    for _ in range(3):
        with pytest.raises(SignInRefused, match="do not belong together"):
            accounts.check("Émile Zoé", OTHER)
    accounts.count_wrong_code()
    for number in range(60):
        clock.wait(0.0001)
        with pytest.raises(SignInRefused):
            accounts.check(f"stranger {number}", OTHER)
    names = {name for (name,) in databases.get().execute("SELECT name FROM web_attempt")}
    assert len(names) == 22
    assert {f"stranger {number}" for number in range(40, 60)} < names
    with pytest.raises(SignInRefused, match="too many wrong PINs"):
        accounts.check("Émile Zoé", PIN)
    clock.wait(15)
    assert accounts.check("Émile Zoé", PIN).name == "Émile Zoé"


def test_a_badge_is_changed_and_never_belongs_to_two(accounts: Accounts) -> None:
    accounts.create("Ann", Role.ADMINISTRATOR, OTHER)
    accounts.create("Bo", Role.TECHNICIAN, OTHER, "B-1")
    accounts.create("Cy", Role.TECHNICIAN, OTHER)
    with pytest.raises(AccountError, match="belongs to the account Bo"):
        accounts.change("Cy", badge="b-1")
    accounts.change("Bo", badge="B-2")
    accounts.change("Cy", badge=" B-1 ")
    assert accounts.check("B-1", OTHER).name == "Cy"
    assert accounts.check("b-2", OTHER).name == "Bo"
    accounts.change("Bo", badge="")
    with pytest.raises(SignInRefused):
        accounts.check("B-2", OTHER)
