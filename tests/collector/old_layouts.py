"""The tables as collectors made them before; they never change."""

_SQLITE_1 = """
CREATE TABLE report (
    id TEXT NOT NULL, version INTEGER NOT NULL, site TEXT NOT NULL, device TEXT NOT NULL, status TEXT,
    received_at TEXT NOT NULL, sha256 TEXT NOT NULL, contested INTEGER NOT NULL DEFAULT FALSE, payload TEXT NOT NULL,
    PRIMARY KEY (id, version)) WITHOUT ROWID;
CREATE INDEX report_by_device ON report (site, device, received_at);
CREATE TABLE conflict (
    id TEXT NOT NULL, version INTEGER NOT NULL, sha256 TEXT NOT NULL, site TEXT NOT NULL, device TEXT NOT NULL,
    received_at TEXT NOT NULL, seen INTEGER NOT NULL DEFAULT 1, payload TEXT NOT NULL,
    PRIMARY KEY (id, version, sha256));
CREATE TABLE quarantine (
    number INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, sha256 TEXT NOT NULL, reason TEXT NOT NULL,
    bytes INTEGER NOT NULL, received_at TEXT NOT NULL, seen INTEGER NOT NULL DEFAULT 1, payload BLOB NOT NULL,
    UNIQUE (topic, sha256));
CREATE TABLE device (
    site TEXT NOT NULL, device TEXT NOT NULL, state TEXT, session INTEGER, status TEXT, status_at TEXT,
    health TEXT, health_at TEXT, PRIMARY KEY (site, device));
"""
_SQLITE_2 = """
CREATE TABLE cell (
    number INTEGER PRIMARY KEY AUTOINCREMENT, site TEXT NOT NULL, device TEXT NOT NULL, report TEXT NOT NULL,
    version INTEGER NOT NULL, cell INTEGER NOT NULL, class TEXT NOT NULL, received_at TEXT NOT NULL,
    sha256 TEXT NOT NULL, payload TEXT NOT NULL, UNIQUE (site, device, report, version, cell));
CREATE TABLE result (
    number INTEGER PRIMARY KEY AUTOINCREMENT, site TEXT NOT NULL, device TEXT NOT NULL, command TEXT, name TEXT,
    outcome TEXT NOT NULL, received_at TEXT NOT NULL, seen INTEGER NOT NULL DEFAULT 1, sha256 TEXT NOT NULL,
    payload TEXT NOT NULL, UNIQUE (site, device, sha256));
"""
SQLITE = {
    1: _SQLITE_1 + "PRAGMA user_version = 1;",
    2: _SQLITE_1 + _SQLITE_2 + "PRAGMA user_version = 2;",
}

_POSTGRES_1 = """
CREATE TABLE report (
    id uuid NOT NULL, version bigint NOT NULL, site text NOT NULL, device text NOT NULL, status text,
    received_at timestamptz NOT NULL, sha256 text NOT NULL, contested boolean NOT NULL DEFAULT false,
    payload json NOT NULL, PRIMARY KEY (id, version));
CREATE INDEX report_by_device ON report (site, device, received_at);
CREATE TABLE conflict (
    id uuid NOT NULL, version bigint NOT NULL, sha256 text NOT NULL, site text NOT NULL, device text NOT NULL,
    received_at timestamptz NOT NULL, seen bigint NOT NULL DEFAULT 1, payload json NOT NULL,
    PRIMARY KEY (id, version, sha256));
CREATE TABLE quarantine (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, topic text NOT NULL, sha256 text NOT NULL,
    reason text NOT NULL, bytes bigint NOT NULL, received_at timestamptz NOT NULL, seen bigint NOT NULL DEFAULT 1,
    payload bytea NOT NULL, UNIQUE (topic, sha256));
CREATE TABLE device (
    site text NOT NULL, device text NOT NULL, state text, session bigint, status json, status_at timestamptz,
    health json, health_at timestamptz, PRIMARY KEY (site, device));
CREATE TABLE collector_tables (version integer NOT NULL);
"""
_POSTGRES_2 = """
CREATE TABLE cell (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, site text NOT NULL, device text NOT NULL,
    report uuid NOT NULL, version bigint NOT NULL, cell bigint NOT NULL, class text NOT NULL,
    received_at timestamptz NOT NULL, sha256 text NOT NULL, payload json NOT NULL,
    UNIQUE (site, device, report, version, cell));
CREATE TABLE result (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, site text NOT NULL, device text NOT NULL, command text,
    name text, outcome text NOT NULL, received_at timestamptz NOT NULL, seen bigint NOT NULL DEFAULT 1,
    sha256 text NOT NULL, payload json NOT NULL, UNIQUE (site, device, sha256));
"""
POSTGRES = {
    1: _POSTGRES_1 + "INSERT INTO collector_tables VALUES (1);\n",
    2: _POSTGRES_1 + _POSTGRES_2 + "INSERT INTO collector_tables VALUES (2);\n",
}
