"""Whether the database has the shape that this program was written for."""

from __future__ import annotations

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from jobs.formatting import some


def unapplied_migrations() -> list[str]:
    """The migrations of this program that the database has not seen, as `app.name`; may raise DatabaseError.

    A database that is ahead of the program is none of them: what a newer version adds, an older one can do
    without.
    """
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def missing_migrations() -> str:
    """A sentence for who runs a worker on a database that lacks migrations; "" when it lacks none."""
    missing = unapplied_migrations()
    if not missing:
        return ""
    return (
        f"The database is older than the program: {some(len(missing), 'migration')} from "
        f"{missing[0]} on must be applied. Run manage.py migrate."
    )
