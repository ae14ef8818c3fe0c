"""Cancelling a job that can no longer ask about the tickets it sent."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from jobs import actions
from jobs.engine.execution import CANNOT_CANCEL
from jobs.models import Job
from jobs.states import FollowUp, Status
from tests import factories
from tests.demo import ANA, Demo, counts, follow, outcomes, run, submit
from tests.processes import command


@pytest.fixture
def refs(demo: Demo) -> list[int]:
    return [ref for ref in demo.open_tickets if "vip" not in demo.tags(ref)][:250]


@pytest.fixture
def stuck(demo: Demo, refs: list[int], settings: Any) -> Job:
    """Two batches of three are in flight, done in truth, when the credentials are revoked."""
    settings.ZENDESK_MAX_JOBS = 2
    demo.account.configure(scale=0.001)
    demo.fault("unauthorized", on="GET /api/v2/job_statuses", times=None)
    job = run(submit(refs=refs))
    assert (job.status, counts(job)) == ("errored", {"remaining": 250})
    assert job.batches.filter(state="sent").count() == 2
    return job


def test_without_force_it_tries_to_settle_and_says_that_it_cannot(stuck: Job) -> None:
    actions.cancel(job=stuck, by=ANA)
    assert stuck.status == "cancelling"
    job = run(stuck)
    assert job.status == "errored"
    assert "credentials" in job.error.lower()
    assert job.error.endswith(CANNOT_CANCEL)


def test_without_force_it_is_cancelled_properly_when_zendesk_can_be_asked(demo: Demo, stuck: Job) -> None:
    demo.account.faults.clear()
    actions.cancel(job=stuck, by=ANA)
    job = run(stuck)
    assert (job.status, counts(job)) == ("cancelled", {"changed": 200, "remaining": 50})


def test_with_force_what_is_in_flight_is_unverified_and_the_job_is_cancelled_at_once(
    demo: Demo, stuck: Job, refs: list[int]
) -> None:
    actions.cancel(job=stuck, by=ANA, force=True)
    assert (stuck.status, counts(stuck)) == ("cancelled", {"unverified": 200, "remaining": 50})
    assert outcomes(stuck) == dict.fromkeys(refs[:200], "unverified") | dict.fromkeys(refs[200:], "pending")
    last = stuck.transitions.order_by("-id")[0]
    assert (last.actor, last.to_status) == ("ana", "cancelled")
    assert last.why == "Stopped at once: 200 tickets in flight given up as unverified."
    demo.account.faults.clear()
    assert run(stuck).status == "cancelled"
    retried = follow(stuck, FollowUp.RETRY)
    assert (retried.status, counts(retried)) == ("succeeded", {"unchanged": 200})
    assert counts(follow(stuck, FollowUp.REST)) == {"changed": 50}
    assert dict(demo.account.ledger.updates) == dict.fromkeys(refs, 1)
    undone = follow(stuck, FollowUp.UNDO)
    assert outcomes(undone) == dict.fromkeys(refs[:200], "changed")
    assert ["vip" in demo.tags(ref) for ref in refs] == [False] * 200 + [True] * 50


@pytest.mark.parametrize("status", [Status.QUEUED, Status.WAITING, Status.ERRORED, Status.CANCELLING])
def test_it_can_be_forced_whenever_no_worker_holds_the_job(job_counts: None, status: Status) -> None:
    job = factories.job(status, total=2)
    batch = job.batches.create(key="k", state="sending", size=1)
    factories.item(job, 1, "pending", batch=batch)
    factories.item(job, 2, "pending")
    actions.cancel(job=job, by=ANA, force=True)
    assert (job.status, counts(job)) == ("cancelled", {"unverified": 1, "remaining": 1})
    assert job.items.get(ref=1).reason == "given_up"


@pytest.mark.parametrize("status", [Status.RUNNING, Status.PAUSING])
def test_a_worker_that_holds_the_job_settles_it_first(db: None, status: Status) -> None:
    job = factories.job(status, total=1, lease_token="token", beat_at=timezone.now())
    batch = job.batches.create(key="k", state="sent", receipt="V3-1", size=1)
    factories.item(job, 1, "pending", batch=batch)
    actions.cancel(job=job, by=ANA, force=True)
    assert (job.status, counts(job)) == ("cancelling", {"remaining": 1})
    with pytest.raises(actions.NotPossible, match="it is cancelling"):
        actions.cancel(job=job, by=ANA, force=True)


def test_force_without_anything_in_flight_is_a_cancel_like_any_other(job_counts: None) -> None:
    job = factories.job(Status.PAUSED, total=0)
    actions.cancel(job=job, by=ANA, force=True)
    assert (job.status, job.transitions.order_by("-id")[0].why) == ("cancelled", "")


def test_the_page_offers_it_with_the_numbers(client: Client, stuck: Job) -> None:
    client.force_login(factories.runner("ben"))
    page = " ".join(client.get(f"/jobs/{stuck.pk}/cancel").text.split())
    assert "200 were sent, and Zendesk has not said yet what became of them." in page
    assert "Stop at once, and record the 200 tickets in flight as unverified" in page
    client.post(f"/jobs/{stuck.pk}/cancel", {"force": "on"})
    stuck.refresh_from_db()
    assert (stuck.status, stuck.unverified) == ("cancelled", 200)


def test_the_page_does_not_offer_it_where_nothing_is_in_flight(client: Client, db: None) -> None:
    client.force_login(factories.runner("ben"))
    job = factories.job(Status.ERRORED, total=3)
    assert "Stop at once" not in client.get(f"/jobs/{job.pk}/cancel").text


def test_a_cancelled_job_that_waits_for_zendesk_can_be_stopped_from_its_page(
    client: Client, demo: Demo, stuck: Job
) -> None:
    demo.account.faults.clear()
    demo.fault("server_error_before", on="GET /api/v2/job_statuses", times=None)
    actions.cancel(job=stuck, by=ANA)
    job = run(stuck)
    assert (job.status, job.waiting_for) == ("cancelling", "service_away")
    client.force_login(factories.runner("ben"))
    assert ">Stop at once</a>" in client.get(job.get_absolute_url()).text
    assert "since Zendesk cannot be asked now" in client.get(job.get_absolute_url()).text
    client.post(f"/jobs/{job.pk}/cancel", {"force": "on"})
    job.refresh_from_db()
    assert (job.status, job.unverified) == ("cancelled", 200)


def test_the_command_takes_force(stuck: Job) -> None:
    ran = command("jobs", "cancel", str(stuck.pk), "--force")
    assert (ran.code, ran.out) == (0, f"Job {stuck.pk}: cancelled.\n")
    stuck.refresh_from_db()
    assert stuck.unverified == 200
