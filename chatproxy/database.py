"""Whether the database is there and fits this version; told in a sentence, before `serve` begins.

Without it the first statement of the start would fail, deep in the relay, and say neither what is
missing nor what to do about it.
"""

from __future__ import annotations

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor


def trouble() -> str:
    """What is wrong with the database and what to do about it; empty: nothing."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as err:
        # Its first line: drivers go on with advice of their own.
        reason = str(err).strip().partition("\n")[0] or type(err).__name__
        return f"The database can't be opened ({reason}). {_what_to_do()}"
    finally:
        connection.close()
    if not missing:
        return ""
    return (
        f"The database lacks {len(missing)} of this version's migrations: "
        "run `python manage.py migrate`, then start again."
    )


def _what_to_do() -> str:
    if "sqlite3" in settings.DATABASES["default"]["ENGINE"]:
        return (
            "See that DATABASE_URL names a file this user may write in a folder that exists, "
            "then run `python manage.py migrate`."
        )
    return "See that PostgreSQL runs and that DATABASE_URL has its host, user, password and name."
