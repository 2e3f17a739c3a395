"""What both databases have in common of their layouts; each layout adds to the one before."""

SCHEMA_VERSION = 5

BIND_STORED = """
INSERT INTO report_origin (id, site, device, bound_at)
    SELECT id, site, device, received_at FROM (SELECT id, site, device, received_at,
        row_number() OVER (PARTITION BY id ORDER BY received_at, version) AS place FROM report) AS ranked
    WHERE place = 1
    ON CONFLICT (id) DO NOTHING;
INSERT INTO origin_mismatch (id, site, device, seen, received_at)
    SELECT id, site, device, sum(seen), max(received_at) FROM (
        SELECT id, site, device, 1 AS seen, received_at FROM report
        UNION ALL SELECT id, site, device, seen, received_at FROM conflict) AS sent
    WHERE {foreign_sent} GROUP BY id, site, device
    ON CONFLICT (id, site, device) DO NOTHING;
INSERT INTO quarantine (topic, sha256, reason, bytes, received_at, payload)
    SELECT site || '/' || device || '/report', sha256, 'report ' || CAST(id AS text) || ' belongs to another device,'
        || ' which sent its first version; version ' || CAST(version AS text) || ' was stored by an older collector',
        octet_length({bytes}), received_at, {bytes} FROM (
        SELECT id, version, site, device, sha256, received_at, payload FROM report
        UNION ALL SELECT id, version, site, device, sha256, received_at, payload FROM conflict) AS sent
    WHERE {foreign_sent}
    ON CONFLICT (topic, sha256) DO NOTHING;
DELETE FROM report WHERE {foreign_report};
DELETE FROM conflict WHERE {foreign_conflict};
UPDATE report SET contested = FALSE WHERE contested AND NOT EXISTS (SELECT 1 FROM conflict
    WHERE conflict.id = report.id AND conflict.version = report.version);
"""
"""The third layout's step for what is stored: each id belongs to the device whose version of it came first, and what
others sent under it moves to quarantine; `{bytes}` is the payload as bytes in the database's own words."""

IN_FORCE = """
CREATE VIEW {if_missing} report_in_force AS
    SELECT id, version, site, device, status, received_at, sha256, contested, payload FROM report
    WHERE NOT EXISTS (SELECT 1 FROM report AS later WHERE later.id = report.id AND later.version > report.version);
"""
"""The highest version of each report."""

KEYS = "CREATE VIEW {if_missing} report_key AS SELECT id, version, sha256, received_at FROM report;"
"""The key of each report that was ever stored; a table where reports are partitioned by month."""

BY_RECEIPT = "CREATE INDEX IF NOT EXISTS report_by_receipt ON report (received_at, id, version);"
"""The review page asks for what came after what it knows, at each look at the worklist."""


def bind_stored(payload_as_bytes: str) -> str:
    """The statements of `BIND_STORED`."""

    def foreign(table: str) -> str:
        return (
            f"EXISTS (SELECT 1 FROM report_origin WHERE report_origin.id = {table}.id"
            f" AND (report_origin.site <> {table}.site OR report_origin.device <> {table}.device))"
        )

    return BIND_STORED.format(
        bytes=payload_as_bytes,
        foreign_sent=foreign("sent"),
        foreign_report=foreign("report"),
        foreign_conflict=foreign("conflict"),
    )


def statements(script: str) -> list[str]:
    """The statements of a script, one by one."""
    return [one.strip() for one in script.split(";\n") if one.strip()]
