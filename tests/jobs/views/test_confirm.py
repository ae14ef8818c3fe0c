"""Pause, resume, cancel and the follow-ups, as a person clicks them."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from pytest_django import Settings

from jobs.models import Job
from jobs.presentation.job_actions import FOLLOW_UPS, JOB_ACTIONS
from jobs.states import BatchState, FollowUp, Outcome, Status
from tests import factories


@pytest.fixture
def in_background(settings: Settings) -> None:
    """No job is small enough to be worked on in the request."""
    settings.SYNC_TICKET_LIMIT = 0


def words(response: HttpResponse) -> str:
    main = response.content.decode().split("<main", 1)[1]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", main))


@pytest.mark.parametrize("name", JOB_ACTIONS)
def test_the_confirmation_changes_nothing(web: Client, name: str) -> None:
    for status in Status:
        job = factories.job(status, changed=1, failed=1, total=5)
        before = Job.objects.filter(pk=job.pk).values().get()
        assert web.get(f"/jobs/{job.pk}/{name}").status_code == 200
        assert Job.objects.filter(pk=job.pk).values().get() == before
    assert Job.objects.count() == len(Status)


def test_cancelling_is_confirmed_with_current_counts(web: Client) -> None:
    job = factories.job(Status.RUNNING, changed=6124, failed=76, total=10_000)
    factories.batch(job, BatchState.SENT, size=100)
    page = words(web.get(f"/jobs/{job.pk}/cancel"))  # type: ignore[arg-type]
    assert (
        "6,124 tickets are changed and stay changed. 3,700 will not be touched. "
        "100 are being sent now and may still be changed."
    ) in page


@pytest.mark.parametrize(
    ("status", "name", "after"),
    [
        (Status.QUEUED, "pause", Status.PAUSED),
        (Status.RUNNING, "pause", Status.PAUSED),
        (Status.PAUSED, "resume", Status.QUEUED),
        (Status.ERRORED, "resume", Status.QUEUED),
        (Status.WAITING, "resume", Status.WAITING),
        (Status.PAUSED, "cancel", Status.CANCELLED),
        (Status.RUNNING, "cancel", Status.CANCELLING),
    ],
)
def test_a_click_moves_the_job_in_the_name_of_the_person(
    web: Client, ana: User, status: Status, name: str, after: Status
) -> None:
    job = factories.job(status, total=5)
    response = web.post(f"/jobs/{job.pk}/{name}")
    assert (response.status_code, response["Location"]) == (302, job.get_absolute_url())
    job.refresh_from_db()
    last = job.transitions.order_by("-id")[0]
    assert (job.status, last.actor, last.user) == (after, "ana", ana)


@pytest.mark.parametrize("name", ["pause", "resume", "cancel"])
def test_a_stale_click_is_answered_on_the_page_of_the_job(web: Client, name: str) -> None:
    job = factories.job(Status.SUCCEEDED, changed=1)
    asked = web.get(f"/jobs/{job.pk}/{name}")
    assert f"Job {job.pk} has ended (succeeded), so there is nothing to {name}." in asked.content.decode()
    assert '<form method="post" class="buttons' not in asked.content.decode()
    clicked = web.post(f"/jobs/{job.pk}/{name}", follow=True)
    assert clicked.redirect_chain == [(job.get_absolute_url(), 302)]
    assert f"Job {job.pk} cannot be " in clicked.content.decode()
    job.refresh_from_db()
    assert job.status == Status.SUCCEEDED


@pytest.mark.parametrize("name", FOLLOW_UPS)
def test_a_follow_up_of_a_running_job_is_refused_in_words(web: Client, name: str) -> None:
    job = factories.job(Status.RUNNING, changed=1, failed=1, total=5)
    clicked = web.post(f"/jobs/{job.pk}/{name}", follow=True)
    assert "it can be followed up when it has ended" in clicked.content.decode()
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    ("name", "expected", "counts"),
    [
        ("retry", ("Retry: Add vip", ["failed", "unverified"]), {"failed": 2, "unverified": 1}),
        ("rest", ("The rest of: Add vip", ["pending"]), {"total": 3}),
        ("undo", ("Undo: Add vip", ["changed", "unverified"]), {"changed": 3}),
        (
            "unguard",
            ("Take the guard tag off: Add vip", ["changed", "unverified"]),
            {"changed": 3, "guarded": "stays"},
        ),
        ("run", ("Add vip", ["planned"]), {"planned": 3, "dry_run": True}),
    ],
)
def test_a_follow_up_is_a_new_job_on_those_tickets(
    web: Client, in_background: None, name: str, expected: tuple[str, list[str]], counts: dict
) -> None:
    ended = Status.CANCELLED if name == "rest" else Status.SUCCEEDED
    job = factories.job(ended, title="Add vip", **counts)
    page = web.get(f"/jobs/{job.pk}/{name}").content.decode()
    assert re.search(r"\b3 ticket", page)
    response = web.post(f"/jobs/{job.pk}/{name}")
    new = Job.objects.exclude(pk=job.pk).get()
    assert response["Location"] == new.get_absolute_url()
    title, outcomes = expected
    assert (new.title, new.source, new.parent, str(new.created_by), new.dry_run, new.follow_up) == (
        title,
        {"kind": "items", "job": job.pk, "outcomes": outcomes},
        job,
        "ana",
        False,
        FollowUp(name),
    )


def test_a_double_click_makes_one_job(web: Client, in_background: None) -> None:
    job = factories.job(Status.SUCCEEDED, changed=3)
    page = web.get(f"/jobs/{job.pk}/undo").content.decode()
    nonce = re.search(r'name="nonce" value="([^"]{20,})"', page)
    assert nonce
    first, second = (web.post(f"/jobs/{job.pk}/undo", {"nonce": nonce[1]}) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Job.objects.count() == 2
    again = re.search(r'name="nonce" value="([^"]+)"', web.get(f"/jobs/{job.pk}/undo").content.decode())
    assert again
    assert again[1] != nonce[1]


def test_the_nonce_of_a_page_is_worth_nothing_to_another_person_or_for_another_job(
    web: Client, in_background: None
) -> None:
    one, other = (factories.job(Status.SUCCEEDED, changed=3) for _ in range(2))
    colleague = Client()
    colleague.force_login(factories.user("ben", "view_job", "run_job"))
    asked = [(web, one), (web, other), (colleague, other), (web, one)]
    sent = [person.post(f"/jobs/{job.pk}/undo", {"nonce": "n" * 32})["Location"] for person, job in asked]
    made = Job.objects.filter(follow_up="undo").order_by("pk")
    assert [job.parent for job in made] == [one, other]
    assert [job.created_by_name for job in made] == ["ana", "ana"]
    assert sent[0] == sent[3] == made[0].get_absolute_url()
    assert sent[1] == made[1].get_absolute_url() != sent[2]


def test_one_group_of_failures_is_retried_alone(web: Client, in_background: None) -> None:
    job = factories.job(Status.PARTIAL, failed=3)
    for ref in (1, 2):
        factories.item(job, ref, Outcome.FAILED, reason="closed")
    factories.item(job, 3, Outcome.FAILED, reason="other")
    page = web.get(f"/jobs/{job.pk}/retry?reason=closed").content.decode()
    assert "tries 2 tickets again" in page
    assert '<input type="hidden" name="reason" value="closed">' in page
    web.post(f"/jobs/{job.pk}/retry", {"reason": "closed"})
    assert Job.objects.latest("pk").source["reason"] == "closed"
    refused = web.post(f"/jobs/{job.pk}/retry", {"reason": "nonsense"}, follow=True)
    assert "has no ticket that failed for this reason" in refused.content.decode()
    assert Job.objects.count() == 2


def test_a_small_undo_is_done_before_the_page_is_shown(web: Client, demo_zendesk: object) -> None:
    job = factories.job(Status.SUCCEEDED, changed=1)
    factories.item(job, 1, change={"add": ["nobody-has-this"]})
    shown = web.post(f"/jobs/{job.pk}/undo", follow=True).content.decode()
    new = Job.objects.latest("pk")
    assert (new.status, new.total) == (Status.SUCCEEDED, 1)
    assert "This job takes the earlier one back." in shown


@pytest.mark.parametrize(
    ("name", "status", "counts"),
    [
        ("retry", Status.PARTIAL, {"failed": 10_001}),
        ("rest", Status.CANCELLED, {"total": 10_001}),
        ("undo", Status.SUCCEEDED, {"changed": 10_001}),
        ("run", Status.SUCCEEDED, {"planned": 10_001, "dry_run": True}),
    ],
)
def test_every_large_follow_up_is_confirmed_by_typing_its_number(
    web: Client, name: str, status: Status, counts: dict[str, int]
) -> None:
    job = factories.job(status, **counts)
    address = f"/jobs/{job.pk}/{name}"
    assert re.findall(r'<input[^>]* name="(typed|count)"', web.get(address).content.decode()) == ["typed"]
    for sent in ({}, {"typed": "10000"}, {"count": "10001"}):
        refused = web.post(address, sent | {"nonce": "n"})
        assert (refused.status_code, "Nothing was started yet" in refused.content.decode()) == (422, True)
    assert Job.objects.count() == 1
    web.post(address, {"typed": "10 001", "nonce": "n"})
    assert [str(child.follow_up) for child in job.children.all()] == [name]


def test_a_retry_of_one_cause_is_confirmed_with_its_own_number(web: Client, in_background: None) -> None:
    job = factories.job(Status.PARTIAL, failed=10_001)
    factories.item(job, 1, Outcome.FAILED, reason="closed")
    assert 'name="typed"' not in web.get(f"/jobs/{job.pk}/retry?reason=closed").content.decode()
    web.post(f"/jobs/{job.pk}/retry", {"reason": "closed"})
    assert job.children.count() == 1


@pytest.mark.parametrize("name", JOB_ACTIONS)
def test_in_every_state_a_button_that_is_shown_works_and_another_changes_nothing(
    web: Client, in_background: None, name: str
) -> None:
    for status in Status:
        counts = {"planned": 1, "changed": 1, "failed": 1, "total": 4}
        in_hand = status in (Status.SELECTING, Status.RUNNING, Status.PAUSING, Status.CANCELLING)
        token = {"lease_token": "t"} if in_hand else {}
        job = factories.job(status, dry_run=name == "run", **counts, **token)
        is_shown = f'/jobs/{job.pk}/{name}"' in web.get(f"/jobs/{job.pk}/").content.decode()
        before = Job.objects.filter(pk=job.pk).values().get()
        number, lines = Job.objects.count(), job.transitions.count()
        response = web.post(f"/jobs/{job.pk}/{name}", follow=True)
        assert response.status_code == 200
        done = name in FOLLOW_UPS and Job.objects.count() == number + 1
        done = done or job.transitions.count() == lines + 1
        assert done is is_shown, (name, status)
        if not done:
            assert Job.objects.filter(pk=job.pk).values().get() == before
            assert f"Job {job.pk} " in response.content.decode()
        if name in FOLLOW_UPS:
            assert (job.transitions.count(), Job.objects.filter(pk=job.pk).values().get()) == (lines, before)


def test_a_follow_up_is_confirmed_with_the_jobs_at_work_on_the_same_tickets(web: Client) -> None:
    job = factories.job(Status.SUCCEEDED, changed=2)
    other = factories.job(Status.RUNNING, title="Remove old from some tickets")
    for one, outcome in ((job, Outcome.CHANGED), (other, Outcome.PENDING)):
        factories.item(one, 7, outcome)
    page = words(web.get(f"/jobs/{job.pk}/undo"))  # type: ignore[arg-type]
    assert f"Job {other.pk} is at work on some of the same tickets: Remove old from some tickets." in page
    assert "Each ticket ends as if one of the two had run after the other" in page
    Job.objects.filter(pk=other.pk).update(status=Status.SUCCEEDED, finished_at=job.finished_at)
    assert "is at work on" not in words(web.get(f"/jobs/{job.pk}/undo"))  # type: ignore[arg-type]


def test_a_pause_that_is_complete_comes_with_the_way_back(web: Client) -> None:
    job = factories.job(Status.QUEUED)
    page = web.post(f"/jobs/{job.pk}/pause", follow=True).content.decode()
    assert f'Paused. <a id="undo-pause" href="/jobs/{job.pk}/resume" data-one-click>Resume</a>' in page
    assert '<form id="one-click" method="post" data-once hidden>' in page
    web.post(f"/jobs/{job.pk}/resume")
    job.refresh_from_db()
    assert job.status == Status.QUEUED


def test_an_errored_job_asks_before_it_resumes(web: Client) -> None:
    stopped = factories.job(Status.ERRORED, changed=1, total=5)
    page = web.get(stopped.get_absolute_url()).content.decode()
    assert 'id="do-resume"' in page
    assert "data-one-click" not in page
