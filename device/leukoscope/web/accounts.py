"""Who may come in: names, roles and secrets, with a delay that grows with each wrong secret."""

import hashlib
import hmac
import os
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from leukoscope.errors import LeukoscopeError
from leukoscope.sentence import Sentence, Verbatim
from leukoscope.web.database import Database, Databases

LEAST_CHARS, MOST_CHARS = 6, 200
"""Of a PIN or password."""
_FREE_TRIES = 3
_LONGEST_WAIT = timedelta(minutes=15)
_MOST_STRANGERS = 1000
"""Names without an account whose wrong tries are remembered; of more the latest."""
_N, _R, _P = 2**14, 8, 1
"""scrypt (RFC 7914): 16 MiB and 50 ms."""


class AccountError(LeukoscopeError, ValueError):
    """An account cannot be made or changed so."""


class SignInRefused(LeukoscopeError, ValueError):
    """Name and secret do not belong together, or it is too early to try again."""


class Role(StrEnum):
    """What a person may do; each may do what those before may."""

    TECHNICIAN = "technician"
    """Look, and name cells."""
    REVIEWER = "reviewer"
    """Also sign, amend and correct."""
    ADMINISTRATOR = "administrator"
    """Also accounts and sessions."""

    def may(self, other: "Role") -> bool:
        """Whether this role may do what the other may."""
        order = list(Role)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class Account:
    """A person."""

    name: str
    role: Role
    active: bool


class Accounts:
    """The people who may use the page."""

    def __init__(self, databases: Databases, now: Callable[[], datetime]) -> None:
        self._databases, self._now = databases, now

    def any(self) -> bool:
        """Whether there is an account yet."""
        return bool(self._databases.get().execute("SELECT 1 FROM web_account LIMIT 1"))

    def all(self) -> list[Account]:
        """By name."""
        rows = self._databases.get().execute("SELECT name, role, active FROM web_account ORDER BY name")
        return [Account(name, Role(role), bool(active)) for name, role, active in rows]

    def get(self, name: str) -> Account | None:
        """One that is active."""
        rows = self._databases.get().execute("SELECT role, active FROM web_account WHERE name = :name", {"name": name})
        return Account(name, Role(rows[0][0]), True) if rows and rows[0][1] else None

    def create(self, name: str, role: Role, secret: str, badge: str = "", *, only_first: bool = False) -> None:
        """Make an account.

        Args:
            name: stands in reports and in the audit trail; 1-64 printable characters.
            role: what the person may do.
            secret: PIN or password.
            badge: what the scanner reads on the person's badge; empty for none.
            only_first: refuse where there is any account already.

        Raises:
            AccountError: the name is taken or no name, or the secret is too short.
        """
        name, badge = name.strip(), badge.strip()
        if not 0 < len(name) <= 64 or not name.isprintable():
            raise AccountError("expected a name of 1 to 64 printable characters", "choose another name")
        stored = make_secret(secret)
        database = self._databases.get()
        with database.transaction():
            if only_first and database.execute("SELECT 1 FROM web_account LIMIT 1"):
                raise AccountError("there is an administrator already", "sign in instead")
            taken = [one for key in (name, badge) if key and (one := _whose(database, key)) is not None]
            if taken:
                raise AccountError(
                    Sentence(
                        "the name {name} or this badge belongs to the account {account} already",
                        name=Verbatim(name),
                        account=Verbatim(taken[0].name),
                    ),
                    "take another",
                )
            database.execute(
                "INSERT INTO web_account VALUES (:name, :role, :secret, :badge, 1, :at)",
                {"name": name, "role": role.value, "secret": stored, "badge": badge, "at": self._now().isoformat()},
            )

    def change(
        self,
        name: str,
        *,
        role: Role | None = None,
        active: bool | None = None,
        secret: str | None = None,
        badge: str | None = None,
    ) -> None:
        """Change an account; the last active administrator stays one.

        Raises:
            AccountError: there is no such account, no active administrator would be left, the secret is too short, or
                the badge is another person's.
        """
        database = self._databases.get()
        stored = None if secret is None else make_secret(secret)
        with database.transaction():
            found = database.execute("SELECT role, active FROM web_account WHERE name = :name", {"name": name})
            if not found:
                raise AccountError(
                    Sentence("there is no account {name}", name=Verbatim(name)), "the page of accounts lists them"
                )
            new_role = Role(found[0][0]) if role is None else role
            new_active = bool(found[0][1]) if active is None else active
            others = database.execute(
                "SELECT 1 FROM web_account WHERE role = :role AND active = 1 AND name <> :name LIMIT 1",
                {"role": Role.ADMINISTRATOR.value, "name": name},
            )
            if not others and not (new_role is Role.ADMINISTRATOR and new_active):
                raise AccountError("nobody would be left to administer", "make another administrator first")
            database.execute(
                "UPDATE web_account SET role = :role, active = :active WHERE name = :name",
                {"role": new_role.value, "active": int(new_active), "name": name},
            )
            if badge is not None:
                whose = _whose(database, badge.strip()) if badge.strip() else None
                if whose is not None and whose.name != name:
                    raise AccountError(
                        Sentence("this badge belongs to the account {name} already", name=Verbatim(whose.name)),
                        "take another",
                    )
                database.execute(
                    "UPDATE web_account SET badge = :badge WHERE name = :name", {"badge": badge.strip(), "name": name}
                )
            if stored is not None:
                database.execute(
                    "UPDATE web_account SET secret = :secret WHERE name = :name", {"secret": stored, "name": name}
                )

    def check(self, name_or_badge: str, secret: str) -> Account:
        """The account of a name or badge, when the secret is right.

        Raises:
            SignInRefused: it is not, or it is too early after wrong ones; the words do not say which names exist.
        """
        typed = name_or_badge.strip()[:MOST_CHARS]
        database = self._databases.get()
        found = _whose(database, typed)
        # Tries by name and by badge are counted together.
        key = _folded(typed if found is None else found.name)
        self._refuse_too_early(key)
        stored, active = (_NOBODY, False) if found is None else (found.secret, found.active)
        if not is_secret(secret, stored) or found is None or not active:
            self._count_failure(key)
            raise SignInRefused("name and PIN do not belong together", "try again, or ask the administrator")
        with database.transaction():
            database.execute("DELETE FROM web_attempt WHERE name = :key", {"key": key})
        return Account(found.name, found.role, True)

    def count_wrong_code(self) -> None:
        """A wrong set-up code was given: the next may be tried later."""
        self._count_failure(_CODE)

    def refuse_code_too_early(self) -> None:
        """Raise SignInRefused while a set-up code may not be tried again yet."""
        self._refuse_too_early(_CODE)

    def _refuse_too_early(self, key: str) -> None:
        rows = self._databases.get().execute("SELECT blocked_until FROM web_attempt WHERE name = :key", {"key": key})
        if rows and self._now() < (until := datetime.fromisoformat(rows[0][0])):
            wait_s = max(1, round((until - self._now()).total_seconds()))
            raise SignInRefused("too many wrong PINs", Sentence("wait {seconds} s and try again", seconds=wait_s))

    def _count_failure(self, key: str) -> None:
        database, now = self._databases.get(), self._now()
        with database.transaction():
            rows = database.execute("SELECT failures FROM web_attempt WHERE name = :key", {"key": key})
            failures = 1 + (rows[0][0] if rows else 0)
            wait = min(_LONGEST_WAIT, timedelta(seconds=2.0 ** min(failures - _FREE_TRIES, 12)))
            until = now + wait if failures >= _FREE_TRIES else now
            database.execute(
                "INSERT INTO web_attempt VALUES (:key, :failures, :until) ON CONFLICT (name) DO UPDATE"
                " SET failures = excluded.failures, blocked_until = excluded.blocked_until",
                {"key": key, "failures": failures, "until": until.isoformat()},
            )
            _forget_strangers(database)


@dataclass(frozen=True, slots=True)
class _Kept:
    """An account as it is kept."""

    name: str
    role: Role
    secret: str
    active: bool


def _whose(database: Database, name_or_badge: str) -> _Kept | None:
    """The account of a name or badge, in large or small letters of any alphabet: databases know those of ASCII."""
    key = _folded(name_or_badge)
    rows = database.execute("SELECT name, role, secret, active, badge FROM web_account ORDER BY created_at")
    by_name = [row for row in rows if _folded(row[0]) == key]
    for name, role, secret, active, _ in by_name or [row for row in rows if row[4] and _folded(row[4]) == key]:
        return _Kept(name, Role(role), secret, bool(active))
    return None


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _forget_strangers(database: Database) -> None:
    """Anybody may try any name; only those of accounts are remembered for as long as it takes."""
    known = {_folded(name) for (name,) in database.execute("SELECT name FROM web_account")} | {_CODE}
    rows = database.execute("SELECT name FROM web_attempt ORDER BY blocked_until DESC")
    for key in [key for (key,) in rows if key not in known][_MOST_STRANGERS:]:
        database.execute("DELETE FROM web_attempt WHERE name = :key", {"key": key})


def make_secret(secret: str) -> str:
    """What is stored of a PIN or password: salt and scrypt digest.

    Raises:
        AccountError: it is too short, or all of one sign.
    """
    if not LEAST_CHARS <= len(secret) <= MOST_CHARS or len(set(secret)) < 3:
        raise AccountError(
            Sentence(
                "expected a PIN or password of {least} or more characters, at least 3 of them different",
                least=LEAST_CHARS,
            ),
            "choose another",
        )
    salt = os.urandom(16)
    return f"{salt.hex()}:{_digest(secret, salt).hex()}"


def is_secret(secret: str, stored: str) -> bool:
    """Whether a PIN or password is the stored one; takes as long when it is not."""
    salt, _, digest = stored.partition(":")
    return hmac.compare_digest(_digest(secret[:MOST_CHARS], bytes.fromhex(salt)), bytes.fromhex(digest))


def _digest(secret: str, salt: bytes) -> bytes:
    return hashlib.scrypt(secret.encode(), salt=salt, n=_N, r=_R, p=_P, dklen=32)


_NOBODY = f"{'00' * 16}:{'00' * 32}"
"""Compared with where a name does not exist, so that this takes as long."""
_CODE = " set-up code"
"""No name that anybody types: what is typed is stripped."""
