"""Items are stored past the ORM, and read through it."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from jobs.engine.item_store import NewItem, insert_items, update_items
from jobs.models import Batch, Item
from jobs.states import Outcome
from tests import factories

ODD = "a\ttab, a\nline, \\N, \\., 'single' and \"double\", 100 %s, ünï😀"


def test_inserted_items_are_read_back_unchanged(db: None) -> None:
    job = factories.job()
    batch = Batch(job=job, key="k")
    items = [
        NewItem(7, batch=batch, before={"tags": [ODD]}, change={"add": [ODD], "none": None}),
        NewItem(8, outcome=Outcome.SKIPPED, reason="closed", detail=ODD, given={"add": []}),
        NewItem(2**40, outcome=Outcome.PLANNED),
    ]
    batch.save()
    insert_items(job.pk, items)
    columns = ("ref", "batch", "outcome", "reason", "detail", "given", "before", "change")
    assert list(Item.objects.filter(job=job).order_by("ref").values_list(*columns)) == [
        (7, batch.pk, "pending", "", "", None, {"tags": [ODD]}, {"add": [ODD], "none": None}),
        (8, None, "skipped", "closed", ODD, {"add": []}, None, None),
        (2**40, None, "planned", "", "", None, None, None),
    ]
    # Null, as the ORM has it, and not the word in JSON.
    assert Item.objects.filter(job=job, before__isnull=True).count() == 2


def test_inserting_no_items_does_nothing(db: None) -> None:
    insert_items(1, [])
    assert not Item.objects.exists()


def test_a_refused_insert_raises_djangos_database_error(db: None) -> None:
    job = factories.job()
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_items(job.pk, [NewItem(7), NewItem(7)])
    assert not Item.objects.exists()


def test_an_update_stores_the_planned_columns_only(db: None) -> None:
    job = factories.job()
    batch = Batch.objects.create(job=job, key="k")
    given = {"add": [ODD]}
    insert_items(job.pk, [NewItem(ref, given=given, before={"tags": ["old"]}) for ref in (7, 8, 9)])
    first, second, _ = job.items.order_by("ref")
    first.batch, first.before, first.change = batch, {"tags": [ODD]}, {"add": [ODD], "none": None}
    second.before, second.outcome, second.reason, second.detail = None, Outcome.SKIPPED, "not_found", ODD
    update_items([first, second])
    columns = ("ref", "batch", "outcome", "reason", "detail", "given", "before", "change")
    assert list(Item.objects.filter(job=job).order_by("ref").values_list(*columns)) == [
        (7, batch.pk, "pending", "", "", given, {"tags": [ODD]}, {"add": [ODD], "none": None}),
        (8, None, "skipped", "not_found", ODD, given, None, None),
        (9, None, "pending", "", "", given, {"tags": ["old"]}, None),
    ]
    assert Item.objects.filter(job=job, before__isnull=True).count() == 1
    update_items([])
