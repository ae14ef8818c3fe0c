"""Whether the database has the schema that this program needs, and no other."""

from __future__ import annotations

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader

from jobs.common.formatting import some


def unapplied_migrations() -> list[str]:
    """The migrations of this program that the database lacks, as `app.name`; may raise DatabaseError."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def unknown_migrations() -> list[str]:
    """The migrations in the database that this program lacks, as `app.name`; may raise DatabaseError.

    Those of apps that are no longer installed do not count, nor do those that a squashed one replaces.
    """
    loader = MigrationLoader(connection)
    replaced = {key for migration in loader.disk_migrations.values() for key in migration.replaces}
    unknown = set(loader.applied_migrations) - set(loader.disk_migrations) - replaced
    return [f"{app}.{name}" for app, name in sorted(unknown) if app in loader.migrated_apps]


def migration_problem() -> str:
    """A sentence for the operator if the database lacks migrations; "" if it lacks none."""
    missing = unapplied_migrations()
    if not missing:
        return ""
    return (
        f"The database is older than the program: {some(len(missing), 'migration')} from "
        f"{missing[0]} on must be applied. Run manage.py migrate."
    )


def newer_problem() -> str:
    """A sentence for the operator if a newer release has migrated the database; "" otherwise."""
    unknown = unknown_migrations()
    if not unknown:
        return ""
    return (
        f"The database is newer than the program, which is version {settings.VERSION}: "
        f"{some(len(unknown), 'migration')} from {unknown[0]} on came from a newer release. Install that "
        "release, or restore the backup that was made before it."
    )
