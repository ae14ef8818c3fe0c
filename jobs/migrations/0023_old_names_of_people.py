"""Names of the people who asked for earlier jobs, also of those whose accounts were deleted: the timeline knows.

A few thousand rows a transaction, so that no worker waits for a row. A program of an earlier release goes on
writing jobs without a name; the account that they point to has it.
"""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.db import migrations
from django.db.models import Max, OuterRef, Q, Subquery

PER_TRANSACTION = 5_000
UNGUARD = "unguard"
NOT_A_PERSON = Q(actor="command line") | Q(actor__startswith="worker ")


def fill(apps: Any, schema_editor: Any) -> None:
    alias = schema_editor.connection.alias
    jobs = apps.get_model("jobs", "Job").objects.using(alias)
    steps = apps.get_model("jobs", "Transition").objects.using(alias)
    users = apps.get_model(settings.AUTH_USER_MODEL).objects.using(alias)
    for part in _parts(steps):
        part.exclude(NOT_A_PERSON).update(by_person=True)
    first = steps.filter(job=OuterRef("pk"), from_status="", by_person=True).order_by("pk")
    named = users.filter(pk=OuterRef("created_by_id"))
    for part in _parts(jobs.filter(created_by_name="")):
        with_account = part.filter(created_by__isnull=False)
        with_account.update(created_by_name=Subquery(named.values("username")[:1]))
        deleted = list(
            part.filter(created_by__isnull=True)
            .annotate(asked_by=Subquery(first.values("actor")[:1]))
            .exclude(asked_by=None)
            .values_list("pk", "asked_by")
        )
        for number, name in deleted:
            jobs.filter(pk=number).update(created_by_name=name)
    # A worker made these when a guarded job ended; they are of the person who asked for that job.
    for number, parent in jobs.filter(follow_up=UNGUARD, created_by=None, created_by_name="").values_list(
        "pk", "parent__created_by_name"
    ):
        jobs.filter(pk=number).update(created_by_name=parent)


def _parts(rows: Any) -> Iterator[Any]:
    last = rows.aggregate(last=Max("pk"))["last"] or 0
    for start in range(0, last + 1, PER_TRANSACTION):
        yield rows.filter(pk__gte=start, pk__lt=start + PER_TRANSACTION)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("jobs", "0023_names_of_people")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
