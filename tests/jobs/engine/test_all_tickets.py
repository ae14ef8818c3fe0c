"""The whole account as the source of a job."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.models import Job
from tests.demo import Demo, counts, demo_zendesk, run, submit


class Clock:
    """Of Zendesk, whose export leaves out what was changed within the last minute."""

    ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def demo(db: None, settings: Any, clock: Clock) -> Iterator[Demo]:
    """More tickets than one page of the export holds."""
    with demo_zendesk(settings, tickets=1_200, clock=clock) as running:
        yield running


def test_every_ticket_but_deleted_ones_is_listed_once_including_archived_ones(
    demo: Demo, clock: Clock
) -> None:
    gone = demo.account.ticket_ids()[:3]
    for ref in gone:
        demo.account.delete(ref)
    clock.ahead += 120
    job = run(submit(all_tickets=True, dry_run=True))
    assert job.status == "succeeded"
    listed = set(job.items.values_list("ref", flat=True))
    assert listed == set(demo.account.ticket_ids()) - set(gone)
    assert job.found == len(listed)


def test_the_cursor_of_an_export_never_expires(demo: Demo) -> None:
    made = submit(all_tickets=True, dry_run=True)
    run(made, seconds=0.0)  # one page, then the time slice is over
    made.job.refresh_from_db()
    assert made.job.found == 1_000
    Job.objects.update(cursor_at=timezone.now() - timedelta(days=2))
    job = run(made.job)
    assert (job.status, job.found) == ("succeeded", 1_200)
    assert demo.calls("GET incremental/tickets/cursor") == 2


def test_without_an_admin_the_job_stops_and_names_who_is_needed(db: None, settings: Any) -> None:
    with demo_zendesk(settings, role="agent"):
        job = run(submit(all_tickets=True, dry_run=True))
    assert (job.status, counts(job)) == ("errored", {})
    assert "to admins only. Connect as an admin." in job.error
