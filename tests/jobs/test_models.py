"""Rows that are read a few at a time."""

from __future__ import annotations

from django.db import connection

from jobs.models import ListedRefs
from tests import factories


def open_cursors() -> list[str]:
    """The server-side cursors of this connection; SQLite has none."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_cursors")
        return [name for (name,) in cursor.fetchall()]


def test_a_reader_that_stops_early_leaves_no_cursor_open(db: None) -> None:
    job = factories.job()
    ListedRefs.objects.bulk_create(ListedRefs(job=job, number=n, refs=str(n)) for n in (4, 2, 7, 0, 5))
    rows = ListedRefs.in_order(job.listed.filter(number__gt=0), at_once=2)
    assert [next(rows).number, next(rows).number, next(rows).number] == [2, 4, 5]
    assert open_cursors() == []
    assert [row.number for row in rows] == [7]
