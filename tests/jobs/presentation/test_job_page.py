"""What a job's page shows besides its status: the request, timeline, speed, tab title and question."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from jobs.models import Job, Transition
from jobs.presentation.job_summary import request_summary
from jobs.presentation.speed_chart import speed_chart
from jobs.presentation.timeline import fold_repetitions
from jobs.states import Outcome, Status
from tests import factories


def text(page: bytes) -> str:
    return re.sub(r"\s+", " ", page.decode())


def test_a_large_real_run_is_confirmed_by_typing_its_number(web: Client) -> None:
    job = factories.job(Status.SUCCEEDED, dry_run=True, planned=12_345)
    asked = text(web.get(f"/jobs/{job.pk}/run", follow=True).content)
    assert "12,345" in asked
    for typed in ("", "12344", "yes"):
        refused = web.post(f"/jobs/{job.pk}/run", {"typed": typed, "nonce": "n" * 24}, follow=True)
        assert "12,345" in text(refused.content)
        assert Job.objects.count() == 1


def test_the_request_is_shown_in_words(ana: User) -> None:
    params = {"add": ["vip", "gold"], "remove": [], "set": [], "include_closed": True}
    view = {"kind": "view", "id": 7, "title": "All unsolved"}
    job = factories.job(params=params, source=view, limit=5_000, dry_run=True)
    assert request_summary(job) == [
        ("What", "Add and remove tags"),
        ("Tags to add", "vip, gold"),
        ("Closed tickets", "Included"),
        ("Tickets", "The view All unsolved"),
        ("At most", "5,000 tickets"),
        ("Mode", "Dry run: nothing is written to Zendesk"),
    ]
    items = {"kind": "items", "job": 3, "outcomes": ["failed", "unverified"], "reason": "closed"}
    job = factories.job(params={"pairs": {"old": "new"}}, source=items)
    assert request_summary(job)[1:3] == [
        ("Tags to rename", "old → new"),
        ("Tickets", "The failed or unverified tickets of job 3, for the reason “closed”"),
    ]
    assert request_summary(factories.job(source={"kind": "moon", "id": 1}))[-3] == (
        "Tickets",
        "kind: moon, id: 1",
    )


def test_the_request_says_how_many_numbers_were_given_and_on_how_many_tickets_it_is_tried(db: None) -> None:
    given = {"kind": "ids", "name": "", "number": 2, "doubles": 1}
    assert request_summary(factories.job(source=given, canary=50))[3:6] == [
        ("Tickets", "2 tickets given by number; 1 repeated number left out"),
        ("At most", "All tickets"),
        ("Tried on", "The first 50 tickets, then it asks whether to go on"),
    ]
    given = {"kind": "ids", "name": "vips.csv", "number": 1_200, "doubles": 0}
    assert request_summary(factories.job(source=given))[3] == ("Tickets", "1,200 tickets named in vips.csv")


@pytest.mark.parametrize(
    ("state", "fields", "said"),
    [
        (Status.PAUSED, {"tried_at": timezone.now()}, "The first 50 tickets, then it asked whether to go on"),
        (
            Status.SUCCEEDED,
            {"tried_at": timezone.now()},
            "The first 50 tickets, then it asked whether to go on",
        ),
        (Status.SUCCEEDED, {}, "The first 50 tickets, but no more were to be sent, so it did not hold"),
        (Status.SUCCEEDED, {"dry_run": True}, "The first 50 tickets, then it asks whether to go on"),
    ],
)
def test_the_request_keeps_on_how_many_tickets_it_was_tried(
    web: Client, state: Status, fields: dict[str, Any], said: str
) -> None:
    job = factories.job(state, canary=50, **fields)
    assert ("Tried on", said) in request_summary(job)
    assert 'name="canary" value="50"' in web.get(f"/tools/bulk-tag/?again={job.pk}").content.decode()


def test_the_tab_of_a_browser_shows_the_progress(web: Client) -> None:
    job = factories.job(Status.RUNNING, changed=61, total=100, title="Add vip")
    page = web.get(job.get_absolute_url()).content.decode()
    assert f"<title>61 % · Add vip · Job {job.pk}</title>" in page
    assert 'data-percent="61"' in page
    assert f'data-title="61 % · Add vip · Job {job.pk}"' in web.get(f"/jobs/{job.pk}/live").content.decode()
    ended = factories.job(Status.PARTIAL, title="Add vip", failed=1)
    assert "<title>Partial · Add vip" in web.get(ended.get_absolute_url()).content.decode()


def test_a_job_that_asks_after_its_first_tickets_shows_its_question_and_two_answers(web: Client) -> None:
    job = factories.job(Status.PAUSED, changed=25, total=100)
    why = "The first 25 tickets are done. Look at them."
    Transition.objects.create(
        job=job, from_status=Status.RUNNING, to_status=Status.PAUSED, actor="worker test:1", why=why
    )
    page = text(web.get(job.get_absolute_url()).content)
    assert f'class="wrap">{why}' in page
    assert re.findall(r'id="do-(\w+)"[^>]*>([^<]+)<', page) == [("resume", "Go on"), ("cancel", "Stop")]


def test_a_pause_by_a_person_is_no_question(web: Client, ana: User) -> None:
    job = factories.job(Status.PAUSED, total=100)
    Transition.objects.create(
        job=job, from_status=Status.RUNNING, to_status=Status.PAUSED, actor="ana", user=ana, why="Lunch."
    )
    page = text(web.get(job.get_absolute_url()).content)
    assert "Paused by ana. Nothing is sent until someone resumes it." in page
    assert ">Resume</a>" in page


def test_steps_that_repeat_are_shown_once_and_a_persons_never_folded(ana: User) -> None:
    def step(status: Status, why: str = "", user: User | None = None) -> Transition:
        return Transition(to_status=status, actor="w", why=why, user=user, at=timezone.now())

    slow, go = step(Status.WAITING, "Slow down."), step(Status.RUNNING)
    by_ana = step(Status.WAITING, "Told to go on at once.", ana)
    lines = fold_repetitions([step(Status.QUEUED), slow, go, slow, go, slow, go, by_ana, by_ana, go, go])
    assert [(line.label, line.times, line.why) for line in lines] == [
        ("Queued", 1, ""),
        ("Waiting, Running", 3, "Slow down."),
        ("Waiting", 1, "Told to go on at once."),
        ("Waiting", 1, "Told to go on at once."),
        ("Running", 2, ""),
    ]
    assert fold_repetitions([]) == []


def test_the_speed_is_drawn_with_its_waits(web: Client) -> None:
    start = timezone.now() - timedelta(seconds=400)
    end = start + timedelta(seconds=320)
    job = factories.job(Status.SUCCEEDED, changed=800, started_at=start, frozen_at=start, finished_at=end)
    for number in (1, 2, 3, 4, 13, 14, 15, 16):
        at = start + timedelta(seconds=20 * number)
        factories.batch(job, size=100, changed=100, sent_at=at, settled_at=at)
    steps = [
        Transition(to_status=Status.WAITING, at=start + timedelta(seconds=100)),
        Transition(to_status=Status.RUNNING, at=start + timedelta(seconds=220)),
    ]
    picture = speed_chart(job, steps)
    assert picture is not None
    assert [(band.x, band.width) for band in picture.bands] == [(187.5, 225.0)]
    assert len(picture.points.split()) == 2
    assert picture.words == (
        "150 tickets a minute on average, at most 150, over 5 min 20 s. Waited once, 2 min in all (shaded)."
    )
    page = text(web.get(job.get_absolute_url()).content)
    assert '<svg viewBox="0 0 600 72" preserveAspectRatio="none" aria-hidden="true"' in page
    assert "Speed: 150 tickets a minute on average" in page
    assert "150 tickets a minute</span>" in page  # the one speed of an ended job
    assert "style=" not in page
    assert speed_chart(factories.job(Status.SUCCEEDED, changed=1), []) is None


def test_a_job_whose_worker_fell_silent_is_called_stuck(web: Client) -> None:
    job = factories.job(Status.RUNNING, changed=1, total=9, lease_token="t" * 32)
    Job.objects.filter(pk=job.pk).update(beat_at=timezone.now() - timedelta(minutes=5))
    assert "This job is stuck: no worker is running." in web.get(job.get_absolute_url()).content.decode()
    Job.objects.filter(pk=job.pk).update(beat_at=timezone.now())
    assert "o worker is running" not in web.get(job.get_absolute_url()).content.decode()


def test_run_again_leads_to_the_form_with_the_same_settings(web: Client, client: Client) -> None:
    job = factories.job(Status.SUCCEEDED, changed=1)
    factories.item(job, 1, Outcome.CHANGED)
    link = f'href="/tools/bulk-tag/?again={job.pk}"'
    assert link in web.get(job.get_absolute_url()).content.decode()
    client.force_login(factories.user("bob", "view_job"))
    assert link not in client.get(job.get_absolute_url()).content.decode()
