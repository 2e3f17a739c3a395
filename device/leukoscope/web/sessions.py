"""Sessions on the server's side: a browser holds a random token, the table its digest; a row deleted ends it."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from leukoscope.web.accounts import Account, Accounts
from leukoscope.web.database import Databases

COOKIE = "leukoscope_session"


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that a person signed in with."""

    digest: str
    """SHA-256 of the token, hexadecimal."""
    name: str
    created_at: str
    expires_at: str
    client: str
    """Address it came from."""


class Sessions:
    """Every session that has not ended."""

    def __init__(self, databases: Databases, accounts: Accounts, now: Callable[[], datetime], lasts: timedelta) -> None:
        self._databases, self._accounts, self._now, self._lasts = databases, accounts, now, lasts

    def begin(self, name: str, client: str) -> str:
        """A new token for a person who has just proved who he or she is; never one that a browser brought."""
        token, now = secrets.token_urlsafe(32), self._now()
        database = self._databases.get()
        with database.transaction():
            database.execute("DELETE FROM web_session WHERE expires_at < :now", {"now": now.isoformat()})
            database.execute(
                "INSERT INTO web_session VALUES (:digest, :name, :at, :until, :client)",
                {
                    "digest": digest_of(token),
                    "name": name,
                    "at": now.isoformat(),
                    "until": (now + self._lasts).isoformat(),
                    "client": client[:100],
                },
            )
        return token

    def account_of(self, token: str) -> Account | None:
        """Whose session a token is; None when it has ended or never was."""
        rows = self._databases.get().execute(
            "SELECT name FROM web_session WHERE digest = :digest AND expires_at > :now",
            {"digest": digest_of(token), "now": self._now().isoformat()},
        )
        return self._accounts.get(rows[0][0]) if rows else None

    def all(self) -> list[Session]:
        """The newest first."""
        rows = self._databases.get().execute(
            "SELECT digest, name, created_at, expires_at, client FROM web_session WHERE expires_at > :now"
            " ORDER BY created_at DESC",
            {"now": self._now().isoformat()},
        )
        return [Session(*row) for row in rows]

    def end(self, digest: str) -> None:
        """End one session."""
        self._delete("DELETE FROM web_session WHERE digest = :value", digest)

    def end_all_of(self, name: str) -> None:
        """End every session of a person."""
        self._delete("DELETE FROM web_session WHERE name = :value", name)

    def _delete(self, statement: str, value: str) -> None:
        database = self._databases.get()
        with database.transaction():
            database.execute(statement, {"value": value})


def digest_of(token: str) -> str:
    """What the table knows of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
