"""Why an active job makes no progress, as its page and `jobs show` say: the cause and the remedy."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from jobs.common import process_id
from jobs.models import Beat, Job
from jobs.presentation.blockers import find_blocker
from jobs.states import ACTIVE, Status, WaitReason
from jobs.workers import heartbeats
from tests import factories
from tests.processes import command

LONG = timedelta(minutes=12)


def aged(status: Status, **fields: Any) -> Job:
    """A job that has got nothing done for twelve minutes."""
    then = timezone.now() - LONG
    job = factories.job(status, **({"frozen_at": then, "total": 500} | fields))
    Job.objects.filter(pk=job.pk).update(created_at=then)
    job.transitions.update(at=then)
    job.refresh_from_db()
    return job


def held(**fields: Any) -> dict[str, Any]:
    return {
        "lease_token": "t" * 32,
        "lease_owner": process_id.this_process(),
        "beat_at": timezone.now(),
    } | fields


def put_off(reason: WaitReason) -> Job:
    later = timezone.now() + timedelta(minutes=5)
    return aged(Status.WAITING, waiting_for=reason, resumes_at=later)


def stuck_workers() -> Job:
    job = aged(Status.QUEUED, frozen_at=None, total=None)
    Job.objects.filter(pk=job.pk).update(woken_at=timezone.now() - LONG)
    return job


def with_batches(state: str) -> Job:
    job = aged(Status.RUNNING, **held())
    for size in (100, 50):
        factories.batch(job, state=state, size=size, sent_at=timezone.now() - timedelta(minutes=3))
    return job


def behind_another() -> Job:
    job = aged(Status.RUNNING, **held())
    factories.batch(factories.job(Status.RUNNING, **held()), state="sent", size=1, sent_at=timezone.now())
    return job


def behind_workers() -> Job:
    factories.job(Status.RUNNING, **held())
    return stuck_workers()


TORN = "This job is stuck: no worker is running. The one that had it gave its last sign of life 12 min ago."
ALIVE: list[tuple[str, Callable[[], Job], str]] = [
    ("stuck workers", stuck_workers, "A worker shows signs of life, but takes no job."),
    ("busy workers", behind_workers, "The workers are busy with 1 other job."),
    (
        "silent holder",
        lambda: aged(Status.RUNNING, **held(beat_at=timezone.now() - timedelta(seconds=41))),
        "Its worker gave its last sign of life 40 s ago.",
    ),
    ("away", lambda: put_off(WaitReason.SERVICE_AWAY), "Zendesk has given no usable answer for 12 min."),
    ("rate", lambda: put_off(WaitReason.RATE_LIMIT), "Zendesk has asked us to slow down for 12 min."),
    (
        "slots",
        lambda: put_off(WaitReason.JOB_SLOTS),
        "Zendesk's queue of bulk jobs has been full for 12 min.",
    ),
    (
        "database",
        lambda: put_off(WaitReason.DATABASE),
        "The database of Tag Manager has been in trouble for 12 min.",
    ),
    (
        "reading",
        lambda: aged(Status.SELECTING, frozen_at=None, total=None, **held()),
        "Zendesk has given no further page of the list for 12 min.",
    ),
    ("lost", lambda: with_batches("sending"), "The answer to 150 tickets was lost 3 min ago."),
    (
        "sent",
        lambda: with_batches("sent"),
        "Zendesk has had 150 tickets in work for 3 min or longer, and none is done.",
    ),
    ("places", behind_another, "1 other job has all the places that our jobs share."),
]


@pytest.mark.parametrize(("make", "cause"), [case[1:] for case in ALIVE], ids=[case[0] for case in ALIVE])
def test_page_and_terminal_show_the_cause_and_the_remedy(
    db: None, client: Client, make: Callable[[], Job], cause: str
) -> None:
    heartbeats.beat()
    job = make()
    blocker = find_blocker(job)
    assert blocker is not None
    assert blocker.cause == cause
    assert len(blocker.remedy) > 40
    client.force_login(factories.runner())
    page = client.get(job.get_absolute_url()).content.decode().replace("&#x27;", "'")
    assert f"<b>{cause}</b> {blocker.remedy}" in page
    assert f"  {cause} {blocker.remedy}\n" in command("jobs", "show", str(job.pk)).out


def test_without_a_worker_both_say_where_to_start_one(db: None) -> None:
    Beat.objects.all().delete()
    waiting, torn = aged(Status.QUEUED), aged(Status.RUNNING, **held(beat_at=timezone.now() - LONG))
    for job, cause in (
        (waiting, "No worker is running, so this job waits."),
        (
            torn,
            TORN,
        ),
    ):
        blocker = find_blocker(job)
        assert blocker is not None
        assert blocker.cause == cause
        assert "make worker" in blocker.remedy


@pytest.mark.parametrize("status", list(Status))
def test_a_job_that_makes_progress_or_waits_for_a_person_has_no_blocker(db: None, status: Status) -> None:
    heartbeats.beat()
    fields = held() if status in ACTIVE else {}
    if status == Status.WAITING:
        fields = {"resumes_at": timezone.now() + timedelta(seconds=9)}
    assert find_blocker(factories.job(status, **fields)) is None


def test_waiting_again_and_again_is_no_progress(db: None) -> None:
    job = put_off(WaitReason.SERVICE_AWAY)
    for _ in range(2):
        job.transitions.create(from_status="waiting", to_status="running", actor="w")
        job.transitions.create(from_status="running", to_status="waiting", actor="w")
    blocker = find_blocker(job)
    assert blocker is not None
    assert blocker.cause == "Zendesk has given no usable answer for 12 min (tried 2 times)."
