"""The retry of a retry, two hundred deep, costs as many queries as the third."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs import actions
from jobs.actors import Actor
from jobs.followups import family_history, family_of, purpose_of
from jobs.models import Job
from jobs.retention import pruning
from jobs.states import FollowUp, Status
from tagmanager.changes.ticket_work import work_for
from tests import factories
from tests.demo import Demo, run

BY = Actor(name="ana")


def line(depth: int, ref: int) -> Job:
    """The last of a line of retries that ended long ago, each of which failed on its one ticket."""
    before = timezone.now() - timedelta(days=400)
    counts = {"total": 1, "failed": 1, "created_at": before, "finished_at": before}
    job = factories.job(Status.PARTIAL, **counts)
    _failed_on(job, ref)
    for _ in range(depth):
        source = {"kind": "items", "job": job.pk, "outcomes": ["failed", "unverified"]}
        job = factories.job(Status.PARTIAL, parent=job, follow_up=FollowUp.RETRY, source=source, **counts)
        _failed_on(job, ref)
    Job.objects.update(created_at=before)
    return Job.objects.get(pk=job.pk)


def _failed_on(job: Job, ref: int) -> None:
    factories.item(job, ref, "failed", batch=factories.batch(job, size=1, failed=1))


def queries_of(do: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as made:
        do()
    return len(made)


def open_page(client: Client, address: str) -> None:
    assert client.get(address).status_code == 200


def costs(job: Job, web: Client, eldest: int) -> dict[str, int]:
    """How many queries each thing takes that looks at the family of a job."""
    pages = {
        "page": f"/jobs/{job.pk}/",
        "live part": f"/jobs/{job.pk}/live",
        "status": f"/jobs/{job.pk}/status",
        "confirm retry": f"/jobs/{job.pk}/retry",
        "list": "/jobs/",
    }
    found = {name: queries_of(partial(open_page, web, address)) for name, address in pages.items()}
    found["purpose"] = queries_of(lambda: purpose_of(Job.objects.get(pk=job.pk)))
    found["family history"] = queries_of(lambda: family_history(Job.objects.get(pk=job.pk), [1]))
    found["work"] = queries_of(lambda: work_for(Job.objects.get(pk=job.pk)).close())
    found["retry"] = queries_of(lambda: actions.follow_up(job=job, kind=FollowUp.RETRY, by=BY))
    job.children.all().delete()
    Job.objects.filter(pk=eldest).update(changed=1, failed=0)
    undone = Job.objects.get(pk=eldest)
    found["undo of the first"] = queries_of(lambda: actions.follow_up(job=undone, kind=FollowUp.UNDO, by=BY))
    undone.children.filter(follow_up=FollowUp.UNDO).delete()
    now = timezone.now()
    found["find what is old"] = queries_of(lambda: pruning.find_prunable(now))
    found["prune"] = queries_of(lambda: pruning.mark_family(eldest, before=now, by=BY, at=now))
    assert not Job.objects.exists()
    return found


def test_a_line_of_two_hundred_retries_costs_as_few_queries_as_one_of_three(
    demo_zendesk: object, web: Client
) -> None:
    web.get("/jobs/")  # what is asked for once and kept
    short = line(3, ref=1)
    few = costs(short, web, _eldest(short))
    long = line(200, ref=1)
    assert family_of(_eldest(long)).count() == 201
    assert costs(long, web, _eldest(long)) == few


def _eldest(job: Job) -> int:
    eldest = Job.objects.filter(parent=None).order_by("pk").last()
    assert eldest is not None
    assert eldest.pk < job.pk
    return eldest.pk


@pytest.mark.parametrize("depth", [3, 200])
def test_the_last_of_a_long_line_is_done_and_undone(demo: Demo, depth: int) -> None:
    ref = demo.open_tickets[0]
    last = run(actions.follow_up(job=line(depth, ref), kind=FollowUp.RETRY, by=BY))
    assert (last.changed, purpose_of(last).kind) == (1, FollowUp.NONE)
    assert "vip" in demo.tags(ref)
    undo = run(actions.follow_up(job=last, kind=FollowUp.UNDO, by=BY))
    assert (undo.changed, "vip" in demo.tags(ref)) == (1, False)
