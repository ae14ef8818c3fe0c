"""The clock jumps, by an hour or by a day, while jobs wait, are held, or have something in flight."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from jobs.demo import gallery
from jobs.engine import execution, lost_search, pipeline
from jobs.engine.in_flight import InFlight
from jobs.engine.pacing import poll_schedule
from jobs.models import Batch, Beat, Gate, Job
from jobs.states import Status, WaitReason
from jobs.workers import heartbeats, reaper
from tagmanager.account.shared_gate import GATE_NAME, SharedGate
from tests import factories
from tests.demo import Demo, counts, outcomes, run, submit

pytestmark = pytest.mark.once

JUMPS = [timedelta(hours=-1), timedelta(days=-1), timedelta(hours=1), timedelta(days=1)]
BACK = JUMPS[:2]


@pytest.fixture(autouse=True)
def no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost_search, "LOST_SEARCH_DELAY", 0.05)
    # A batch that looks an hour old is asked about no more often than this.
    monkeypatch.setattr(poll_schedule, "LONGEST", 0.1)


def moved(jump: timedelta) -> Any:
    return time_machine.travel(timezone.now() + jump, tick=True)


@pytest.mark.parametrize("jump", BACK)
def test_a_job_that_waits_for_a_time_goes_on_soon_after_the_clock_was_set_back(
    demo: Demo, jump: timedelta
) -> None:
    job = submit(refs=demo.open_tickets[:20], here=False, add=["brand-new"]).job
    now = timezone.now()
    Job.objects.update(
        status=Status.WAITING, waiting_for=WaitReason.RATE_LIMIT, resumes_at=now + timedelta(minutes=5)
    )
    with moved(jump):
        reaper.reap()
        job = run(job)
    assert (job.status, counts(job)) == (Status.SUCCEEDED, {"changed": 20})


@pytest.mark.parametrize("jump", BACK)
def test_a_wake_up_of_later_is_made_up_for(demo: Demo, jump: timedelta) -> None:
    job = submit(refs=demo.open_tickets[:20], here=False, add=["brand-new"]).job
    woken = job.woken_at
    with moved(jump):
        reaper.reap()
        job.refresh_from_db()
        assert job.woken_at is not None
        assert woken is not None
        assert job.woken_at < woken
        reaper.reap()
        again = Job.objects.get().woken_at
    assert again == job.woken_at  # once is enough


@pytest.mark.parametrize("jump", JUMPS)
def test_a_living_worker_goes_on_and_a_dead_one_is_replaced_after_the_usual_time(
    demo: Demo, jump: timedelta
) -> None:
    refs = demo.open_tickets[:150]
    held = submit(refs=refs, add=["brand-new"])
    Job.objects.update(lease_owner="another-host//4711/1")
    with moved(jump) as traveller:
        reaper.reap()
        if jump > timedelta():  # it looks silent; to take a job too early costs nothing
            assert Job.objects.get().crash_count == 1
            return
        assert Job.objects.get().lease_token == held.token
        traveller.shift(timedelta(seconds=100))
        reaper.reap()
        job = Job.objects.get()
        assert (job.status, job.lease_token, job.crash_count) == (job.status, "", 1)
        job = run(job)
    assert (job.status, counts(job)) == (Status.SUCCEEDED, {"changed": 150})
    assert {demo.account.ledger.updates[ref] for ref in refs} == {1}


@pytest.mark.parametrize("jump", JUMPS)
def test_a_clock_that_jumps_in_the_middle_of_a_job_changes_nothing_of_its_outcome(
    demo: Demo, jump: timedelta
) -> None:
    refs = demo.open_tickets[:250]
    made = submit(refs=refs, add=["brand-new"])
    with moved(timedelta()) as traveller:
        steps = []

        def tick() -> None:
            steps.append(1)
            if len(steps) in (3, 5):
                traveller.shift(jump)

        job = run(made, tick=tick)
    assert len(steps) > 4
    assert (job.status, counts(job)) == (Status.SUCCEEDED, {"changed": 250})
    assert {demo.account.ledger.updates[ref] for ref in refs} == {1}


@pytest.mark.parametrize("jump", JUMPS)
def test_a_batch_whose_answer_was_lost_is_found_whatever_the_clock_says(
    demo: Demo, jump: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    refs = demo.open_tickets[:50]
    made = submit(refs=refs, add=["brand-new"])
    demo.fault("reset_after")
    with moved(timedelta()) as traveller:
        shifts = iter([jump])

        def lose_and_jump(pipe: pipeline.Pipeline, entry: InFlight) -> None:
            lose(pipe, entry)
            traveller.shift(next(shifts, timedelta()))

        lose = pipeline.Pipeline._mark_lost
        monkeypatch.setattr(pipeline.Pipeline, "_mark_lost", lose_and_jump)
        job = run(made)
    assert next(shifts, None) is None
    assert (job.status, outcomes(job)) == (Status.SUCCEEDED, dict.fromkeys(refs, "changed"))
    assert {demo.account.ledger.updates[ref] for ref in refs} == {1}


@pytest.mark.parametrize("jump", BACK)
def test_rows_read_in_the_future_are_read_again_before_they_are_sent(demo: Demo, jump: timedelta) -> None:
    refs = demo.open_tickets[:10]
    made = submit(refs=refs, add=["brand-new"])
    execution.run(
        made.job.pk, token=made.token, seconds=60, max_items=5
    )  # reads the list, and leaves it to others
    demo.account.edit(refs[0], add=["brand-new"])
    assert Batch.objects.update(read_at=timezone.now() - jump) == 1
    job = run(made.job)
    assert counts(job) == {"changed": 9, "unchanged": 1}


@pytest.mark.parametrize("jump", BACK)
def test_the_shared_gate_opens_again(db: None, jump: timedelta) -> None:
    SharedGate().hold((timezone.now() + timedelta(minutes=5)).timestamp(), "asked to slow down")
    with moved(jump):
        reaper.reap()
        assert SharedGate().not_before() <= timezone.now().timestamp()
    assert Gate.objects.get(name=GATE_NAME).why == "asked to slow down"


def test_a_worker_of_the_future_is_not_taken_for_a_living_one(db: None) -> None:
    Beat.objects.create(owner="another-host//4711/1", at=timezone.now() + timedelta(hours=1))
    assert not heartbeats.is_worker_alive()
    Beat.objects.update(at=timezone.now() + timedelta(seconds=2))
    assert heartbeats.is_worker_alive()


@pytest.mark.parametrize("jump", [JUMPS[1], JUMPS[3]])
def test_pages_bear_times_that_do_not_go_together(client: Client, db: None, jump: timedelta) -> None:
    numbers = gallery.create_gallery()
    client.force_login(factories.runner("ana"))
    with moved(jump):
        client.force_login(factories.user("ben", "view_job", "run_job"))
        assert client.get("/").status_code == 200
        assert client.get("/jobs/").status_code == 200
        assert numbers
        for pk in numbers.values():
            page = client.get(f"/jobs/{pk}/")
            assert page.status_code == 200
            assert " -1 " not in page.content.decode()
            status = client.get(f"/jobs/{pk}/status").json()
            assert (status["eta_seconds"] or 0) >= 0
            assert (status["tickets_per_minute"] or 0) >= 0


def test_what_the_gallery_holds_on_purpose_is_left_alone(db: None) -> None:
    gallery.create_gallery()
    before = list(Job.objects.order_by("pk").values_list("status", "beat_at", "woken_at"))
    reaper.reap()
    assert list(Job.objects.order_by("pk").values_list("status", "beat_at", "woken_at")) == before
