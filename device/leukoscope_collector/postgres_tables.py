"""The tables of the collector in PostgreSQL."""

from leukoscope_collector.tables import BY_RECEIPT, IN_FORCE, KEYS, bind_stored

_FIRST = """
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
_SECOND = """
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
_THIRD = f"""
CREATE TABLE IF NOT EXISTS report_origin (
    id uuid PRIMARY KEY, site text NOT NULL, device text NOT NULL, bound_at timestamptz NOT NULL);
CREATE TABLE IF NOT EXISTS origin_mismatch (
    id uuid NOT NULL, site text NOT NULL, device text NOT NULL, seen bigint NOT NULL DEFAULT 1,
    received_at timestamptz NOT NULL, PRIMARY KEY (id, site, device));
CREATE INDEX IF NOT EXISTS origin_mismatch_by_time ON origin_mismatch (received_at);
{bind_stored("convert_to(CAST(payload AS text), 'UTF8')")}
{IN_FORCE.format(if_missing="").replace("CREATE VIEW", "CREATE OR REPLACE VIEW")}
"""
REPORT_KEYS = KEYS.format(if_missing="").replace("CREATE VIEW", "CREATE OR REPLACE VIEW")
LAYOUTS = (_FIRST, _SECOND, _THIRD, REPORT_KEYS, BY_RECEIPT)
"""The tables that each version of the layout added."""
