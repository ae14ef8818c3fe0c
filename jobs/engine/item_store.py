"""Writes items past the ORM: new ones, a page at a time, and those that were just planned anew.

A job of a million tickets writes a million items. As ORM models they would cost more than the rest of the
engine. Nothing else writes past the ORM, and everything reads these rows through it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connections, router

from jobs.models import Batch, Item
from jobs.states import Outcome

#: The columns that a new plan of an item may change, with their types on PostgreSQL.
PLANNED_COLUMNS = {
    "batch_id": "bigint",
    "outcome": "text",
    "reason": "text",
    "detail": "text",
    "before": "jsonb",
    "change": "jsonb",
}

COLUMNS = ("job_id", "ref", "batch_id", "outcome", "reason", "detail", "given", "before", "change")


@dataclass(slots=True)
class NewItem:
    """An item to be stored; its batch must be stored before."""

    ref: int
    batch: Batch | None = None
    outcome: Outcome = Outcome.PENDING
    reason: str = ""
    detail: str = ""
    given: dict[str, Any] | None = None
    before: dict[str, Any] | None = None
    change: dict[str, Any] | None = None


def insert_items(job_id: int, items: Sequence[NewItem]) -> None:
    """Insert new items of a job in the open transaction; their primary keys are not returned."""
    if not items:
        return
    connection = connections[router.db_for_write(Item)]
    table, columns = Item._meta.db_table, ", ".join(f'"{column}"' for column in COLUMNS)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            copying = f'COPY "{table}" ({columns}) FROM STDIN'
            with connection.wrap_database_errors, cursor.copy(copying) as copy:
                for row in _rows(job_id, items):
                    copy.write_row(row)
        else:
            values = ", ".join(["%s"] * len(COLUMNS))
            insert = f'INSERT INTO "{table}" ({columns}) VALUES ({values})'  # noqa: S608 - our own names
            cursor.executemany(insert, list(_rows(job_id, items)))


def update_items(items: Sequence[Item]) -> None:
    """Update the `PLANNED_COLUMNS` of stored items in the open transaction."""
    if not items:
        return
    connection = connections[router.db_for_write(Item)]
    table = Item._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            names = ", ".join(f'"{name}" = given."{name}"' for name in PLANNED_COLUMNS)
            shape = ", ".join(
                f'"{name}" {kind}' for name, kind in {"id": "bigint", **PLANNED_COLUMNS}.items()
            )
            given = [
                {"id": item.pk, **{name: getattr(item, name) for name in PLANNED_COLUMNS}} for item in items
            ]
            cursor.execute(
                f'UPDATE "{table}" SET {names} FROM jsonb_to_recordset(%s::jsonb) AS given({shape}) '  # noqa: S608 - our own names
                f'WHERE "{table}"."id" = given."id"',
                [json.dumps(given)],
            )
        else:
            names = ", ".join(f'"{name}" = %s' for name in PLANNED_COLUMNS)
            update = f'UPDATE "{table}" SET {names} WHERE "id" = %s'  # noqa: S608 - our own names
            cursor.executemany(
                update,
                [
                    (
                        *(item.batch_id, str(item.outcome), item.reason, item.detail),
                        *(_json(item.before), _json(item.change), item.pk),
                    )
                    for item in items
                ],
            )


def _rows(job_id: int, items: Sequence[NewItem]) -> Iterator[tuple[Any, ...]]:
    for item in items:
        yield (
            job_id,
            item.ref,
            item.batch and item.batch.pk,
            item.outcome.value,
            item.reason,
            item.detail,
            _json(item.given),
            _json(item.before),
            _json(item.change),
        )


def _json(value: dict[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value)
