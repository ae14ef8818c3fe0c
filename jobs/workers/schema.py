"""Whether the database has the schema that this program needs."""

from __future__ import annotations

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from jobs.formatting import some


def unapplied_migrations() -> list[str]:
    """The migrations of this program that the database lacks, as `app.name`; may raise DatabaseError.

    A database that is ahead of the program lacks none: an older version can do without what a newer one adds.
    """
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def migration_problem() -> str:
    """A sentence for the operator if the database lacks migrations; "" if it lacks none."""
    missing = unapplied_migrations()
    if not missing:
        return ""
    return (
        f"The database is older than the program: {some(len(missing), 'migration')} from "
        f"{missing[0]} on must be applied. Run manage.py migrate."
    )
