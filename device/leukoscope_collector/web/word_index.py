"""An index of the worklist's words by their trigrams, where PostgreSQL has it: a search then reads what it finds."""

import logging

from leukoscope.errors import LeukoscopeError
from leukoscope.web import Databases

_log = logging.getLogger(__name__)


def index_words(databases: Databases) -> bool:
    """Make the index; without it a search reads the whole worklist, and finds the same.

    Args:
        databases: of a PostgreSQL store; pg_trgm is one of PostgreSQL's own extensions, which the owner of a database
            may add.

    Returns:
        Whether it is there.
    """
    database = databases.get()
    try:
        with database.transaction():
            database.execute("SET LOCAL statement_timeout = 0")
            database.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            database.execute(
                "CREATE INDEX IF NOT EXISTS web_worklist_words ON web_worklist USING gin (words gin_trgm_ops)"
            )
    except LeukoscopeError as error:
        _log.warning("searches read the whole worklist: %s", error)
        return False
    return True
