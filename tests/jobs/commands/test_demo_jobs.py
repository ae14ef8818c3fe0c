"""`manage.py demo_jobs`: the gallery holds a job in each state, each as the engine could leave it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from jobs.actions import follow_up
from jobs.actors import COMMAND_LINE
from jobs.demo import gallery
from jobs.demo.scenes import SCENES
from jobs.models import Item, Job
from jobs.reports import recount
from jobs.states import MAY_FOLLOW, FollowUp, Status, WaitReason
from jobs.workers import reaper
from tests import factories
from tests.processes import command


def made() -> dict[str, Job]:
    """Run the command; the jobs by the names of their scenes."""
    numbers = json.loads(command("demo_jobs", "--output", "json").out)
    jobs = Job.objects.in_bulk(numbers.values())
    return {name: jobs[pk] for name, pk in numbers.items()}


def test_every_status_and_every_reason_to_wait_is_in_the_gallery(db: None) -> None:
    jobs = made()
    assert list(jobs) == [scene.name for scene in SCENES]
    assert {job.status for job in jobs.values()} == set(Status)
    assert {job.waiting_for for job in jobs.values()} == {"", *WaitReason}


def test_the_numbers_of_every_job_add_up_but_for_the_huge_ones(db: None) -> None:
    huge = {pk for name, pk in gallery.create_gallery().items() if name.startswith("huge")}
    assert list(recount.drifts(Job.objects.exclude(pk__in=huge))) == []
    totals = dict(Job.objects.filter(pk__in=huge).values_list("nonce", "total"))
    assert totals == {"gallery-huge-running": 1_000_000, "gallery-huge-partial": 1_000_000}


@pytest.mark.once
def test_every_timeline_is_one_that_the_table_of_states_allows(db: None) -> None:
    jobs = made()
    assert jobs
    for name, job in jobs.items():
        steps = list(job.transitions.values_list("from_status", "to_status", "at"))
        assert steps[0][:2] == ("", Status.QUEUED), name
        assert [start for start, _, _ in steps[1:]] == [to for _, to, _ in steps[:-1]], name
        assert [step for step in steps[1:] if step[0] not in MAY_FOLLOW[Status(step[1])]] == [], name
        assert steps[-1][1] == job.status, name
        moments = [at for _, _, at in steps]
        assert moments == sorted(moments), name
        assert moments[-1] <= timezone.now(), name


@pytest.mark.once
def test_a_second_time_adds_nothing(db: None) -> None:
    first = {name: job.pk for name, job in made().items()}
    assert {name: job.pk for name, job in made().items()} == first
    assert Job.objects.count() == len(SCENES)


def test_clearing_takes_everything_that_was_made_and_leaves_the_rest(db: None) -> None:
    factories.runner("ana")
    own = factories.job(Status.SUCCEEDED)
    child = follow_up(job=made()["succeeded"], kind=FollowUp.UNDO, by=COMMAND_LINE).job
    follow_up_of_child = factories.job(Status.QUEUED, parent=child)
    ran = command("demo_jobs", "--clear")
    assert ran.out == f"{len(SCENES) + 2} jobs were removed.\n"
    assert list(Job.objects.all()) == [own]
    assert follow_up_of_child not in Job.objects.all()
    assert list(User.objects.values_list("username", flat=True)) == ["ana"]
    assert Item.objects.count() == 0


def test_no_worker_ever_comes_for_a_job_of_the_gallery(db: None) -> None:
    before = {name: (job.status, job.lease_token, job.woken_at) for name, job in made().items()}
    assert reaper.reap() == 0
    assert {name: (job.status, job.lease_token, job.woken_at) for name, job in made().items()} == before


@pytest.mark.once
def test_it_refuses_where_real_work_is_done(db: None, settings: Any) -> None:
    settings.DEMO = False
    refused = command("demo_jobs")
    assert (refused.code, Job.objects.count()) == (1, 0)
    assert "give --yes" in refused.err
    assert command("demo_jobs", "--yes").code == 0


@pytest.mark.once
def test_its_lines_name_the_pages(db: None) -> None:
    lines = command("demo_jobs").out.splitlines()
    job = Job.objects.get(nonce="gallery-partial")
    assert f"{'partial':<22}/jobs/{job.pk}/" in lines


@pytest.mark.once
def test_every_page_of_the_gallery_shows_and_none_takes_text_for_markup(client: Client, db: None) -> None:
    client.force_login(factories.runner("ana"))
    pages = {name: client.get(job.get_absolute_url()) for name, job in made().items()}
    assert {name: page.status_code for name, page in pages.items()} == dict.fromkeys(pages, 200)
    assert [name for name, page in pages.items() if "<script>document.title" in page.text] == []
