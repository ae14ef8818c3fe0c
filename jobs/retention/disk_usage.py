"""The space that jobs take in the database, and what becomes of it when they are deleted."""

from __future__ import annotations

from django.db import connection
from django.db.models import Sum

from jobs.models import Batch, Item, Job, ListedRefs, Transition

FILE_KEEPS_SIZE = "The database's file keeps its size: new jobs take the room that is free in it now."


def is_one_file() -> bool:
    """Whether the database is a file that does not shrink by itself (SQLite)."""
    return connection.vendor == "sqlite"


def estimate_size(items: int) -> float:
    """Bytes that this many items take with all that belongs to them, estimated from the average.

    Reads no row of an item.
    """
    of_all = Job.objects.aggregate(number=Sum("found", default=0))["number"]
    return _used_bytes() * items / of_all if of_all else 0.0


def _used_bytes() -> int:
    with connection.cursor() as cursor:
        if is_one_file():
            cursor.execute(
                "SELECT (page_count - freelist_count) * page_size "
                "FROM pragma_page_count(), pragma_freelist_count(), pragma_page_size()"
            )
        else:
            tables = [model._meta.db_table for model in (Item, Batch, ListedRefs, Transition)]
            cursor.execute(
                "SELECT coalesce(sum(pg_total_relation_size(t::regclass)), 0) FROM unnest(%s::text[]) AS t",
                [tables],
            )
        return int(cursor.fetchone()[0])
