"""Two undos of one job: whichever comes second hears which job is at it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from jobs import actions
from jobs.models import Job
from jobs.states import FollowUp, Outcome, Status
from tests import factories
from tests.demo import ANA
from tests.processes import command

AT_ONCE = 2


def done_job() -> Job:
    job = factories.job(Status.SUCCEEDED, changed=1)
    factories.item(job, 1)
    return job


def undo(job: Job, *, include_closed: bool = False) -> Job:
    options = {"include_closed": True} if include_closed else {}
    return actions.follow_up(job=job, kind=FollowUp.UNDO, by=ANA, options=options).job


def test_of_two_that_ask_at_the_same_moment_one_is_told(transactional_db: None) -> None:
    job = done_job()
    start = Barrier(AT_ONCE)

    def ask(_: int) -> str:
        try:
            mine = Job.objects.get(pk=job.pk)
            start.wait(timeout=30)
            return f"made {undo(mine).pk}"
        except actions.NotPossible as told:
            return str(told)
        finally:
            connection.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        said = sorted(pool.map(ask, range(AT_ONCE)))
    child = job.children.get()
    wait = "wait until it has ended, or cancel it."
    assert said == [f"Job {child.pk} is already undoing job {job.pk}: {wait}", f"made {child.pk}"]


def test_another_extent_does_not_make_it_another_undo(db: None) -> None:
    job = done_job()
    undo(job)
    with pytest.raises(actions.NotPossible, match="is already undoing job"):
        undo(job, include_closed=True)


@pytest.mark.parametrize("status", [Status.ERRORED, Status.PAUSED])
def test_one_that_was_stopped_is_to_be_resumed_or_cancelled(db: None, status: Status) -> None:
    job = done_job()
    factories.job(
        status, parent=job, follow_up=FollowUp.UNDO, source=actions._items_of(job, FollowUp.UNDO, "")
    )
    with pytest.raises(actions.NotPossible, match="resume or cancel it"):
        undo(job)


@pytest.mark.parametrize("kind", [FollowUp.RETRY, FollowUp.REST])
def test_the_retry_of_an_undo_is_an_undo_too(db: None, kind: FollowUp) -> None:
    job = done_job()
    ended = factories.job(Status.PARTIAL, parent=job, follow_up=FollowUp.UNDO, failed=1)
    again = factories.job(Status.PARTIAL, parent=ended, follow_up=kind, failed=1)
    undo(job)
    Job.objects.filter(follow_up=FollowUp.UNDO).exclude(pk=ended.pk).delete()
    active = factories.job(Status.QUEUED, parent=again, follow_up=kind)
    with pytest.raises(actions.NotPossible, match=f"Job {active.pk} is already undoing job {job.pk}"):
        undo(job)


def test_the_page_and_the_command_tell_it_too(web: Client, settings: Settings) -> None:
    settings.SYNC_TICKET_LIMIT = 0
    job = done_job()
    child = undo(job)
    told = f"Job {child.pk} is already undoing job {job.pk}"
    page = web.post(f"/jobs/{job.pk}/undo", {"nonce": "another"}, follow=True).content.decode()
    assert told in page
    ran = command("jobs", "undo", str(job.pk), "--yes")
    assert (ran.code, told in ran.err) == (1, True)
    assert job.children.count() == 1


def test_closed_tickets_are_taken_in_on_request(web: Client, settings: Settings) -> None:
    settings.SYNC_TICKET_LIMIT = 0
    job = done_job()
    asked = web.get(f"/jobs/{job.pk}/undo").content.decode()
    assert 'name="include_closed"' in asked
    web.post(f"/jobs/{job.pk}/undo", {"include_closed": "on"})
    made = job.children.get()
    assert made.chosen_options["include_closed"] is True
    assert "Tickets closed since" in web.get(made.get_absolute_url()).content.decode()
    Job.objects.filter(pk=made.pk).update(status=Status.CANCELLED, finished_at="2026-01-01T00:00Z")
    command("jobs", "undo", str(job.pk), "--yes", "--detach", "--include-closed")
    assert job.children.latest("pk").chosen_options["include_closed"] is True


def test_a_job_that_took_closed_tickets_in_is_undone_with_them(web: Client) -> None:
    job = factories.job(Status.SUCCEEDED, changed=1, options={"include_closed": True})
    assert 'name="include_closed"' not in web.get(f"/jobs/{job.pk}/undo").content.decode()


def test_the_advice_names_what_the_page_offers(web: Client) -> None:
    job = done_job()
    undone = factories.job(Status.SUCCEEDED, parent=job, follow_up=FollowUp.UNDO, skipped=1)
    factories.item(undone, 1, Outcome.SKIPPED, reason="closed", detail="The ticket is closed.")
    page = web.get(undone.get_absolute_url()).content.decode()
    assert f"Undo job {job.pk} again with “Include tickets closed since”" in page
    other = factories.job(Status.SUCCEEDED, skipped=1)
    factories.item(other, 1, Outcome.SKIPPED, reason="closed", detail="The ticket is closed.")
    assert "“Include closed tickets”" in web.get(other.get_absolute_url()).content.decode()
