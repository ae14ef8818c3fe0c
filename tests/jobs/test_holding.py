"""All jobs are held and released at once, and a copied database goes on only when a person says so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from jobs import actions, holding
from jobs.actions import NotPossible
from jobs.actors import COMMAND_LINE
from jobs.engine import execution
from jobs.installation import identity, standstill
from jobs.models import Batch, Installation, Job
from jobs.presentation.blockers import find_blocker
from jobs.reports.progress import status_of
from jobs.states import BatchState, FollowUp, Status
from jobs.workers import health, heartbeats, reaper
from tests import factories
from tests.demo import ANA, Demo, counts, follow, run, submit
from tests.processes import command

HELD = r"All jobs are held since .* UTC, by ana \(Upgrade\): nothing new is sent, undo included\."


def make_copy(why: str = "inode") -> None:
    """Let the row say that another database was here."""
    standstill.current()
    row = Installation.objects.get()
    row.identity |= {"inode": 1, "system": "1"} if why == "inode" else {"addresses": ["elsewhere"]}
    row.save()


def test_a_running_job_settles_what_is_in_flight_and_parks(demo: Demo) -> None:
    made = submit(refs=demo.open_tickets[:350], add=["fresh"])
    demo.account.hold()

    def tick() -> None:
        if Batch.objects.exclude(sent_at=None).exists() and standstill.current() is None:
            holding.hold(by=ANA, why="Upgrade")
            demo.account.release()

    job = run(made, tick=tick)
    assert (job.status, job.waiting_for, job.lease_token) == (Status.WAITING, "held", "")
    assert not job.batches.filter(state__in=[BatchState.SENDING, BatchState.SENT]).exists()
    assert 0 < job.changed < 350
    sent = dict(demo.account.ledger.updates)
    assert run(job).status == Status.WAITING
    assert dict(demo.account.ledger.updates) == sent
    assert holding.release(by=ANA) == 1
    assert counts(run(job)) == {"changed": 350}
    assert set(demo.account.ledger.updates.values()) == {1}


def test_queued_jobs_wait_and_commands_and_undo_say_why(demo: Demo) -> None:
    done = run(submit(refs=demo.open_tickets[:3]))
    queued = submit(refs=demo.open_tickets[:3], here=False).job
    holding.hold(by=ANA, why="Upgrade")
    with pytest.raises(NotPossible, match=HELD):
        submit(refs=[1])
    with pytest.raises(NotPossible, match=HELD):
        follow(done, FollowUp.UNDO)
    undo = actions.follow_up(job=done, kind=FollowUp.UNDO, by=ANA).job
    assert [run(job).status for job in (queued, undo)] == [Status.QUEUED, Status.QUEUED]
    assert [status_of(job)["waiting_for"] for job in (queued, undo)] == ["held", "held"]
    blocker = find_blocker(queued)
    assert blocker is not None
    assert blocker.cause.startswith("All jobs are held since")
    actions.cancel(job=queued, by=ANA)
    assert queued.status == Status.CANCELLED
    assert holding.release(by=ANA) == 1
    assert counts(run(undo)) == {"changed": 3}
    with pytest.raises(NotPossible, match="No hold is on"):
        holding.release(by=ANA)


def test_what_is_in_flight_of_a_lost_worker_is_settled_under_a_hold(demo: Demo) -> None:
    made = submit(refs=demo.open_tickets[:350], add=["fresh"])
    demo.account.hold()

    def die() -> None:
        if Batch.objects.filter(state=BatchState.SENT).exists():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(made, tick=die)
    demo.account.release()
    holding.hold(by=ANA)
    Job.objects.update(lease_token="", lease_owner="")
    sent = dict(demo.account.ledger.updates)
    job = run(made.job)
    assert (job.status, job.waiting_for) == (Status.WAITING, "held")
    assert not job.batches.filter(state=BatchState.SENT).exists()
    assert dict(demo.account.ledger.updates) == sent


def test_workers_are_not_called_stuck_while_or_right_after_all_jobs_are_held(db: None) -> None:
    long_ago = timezone.now() - timedelta(minutes=10)
    queued, parked = factories.job(), factories.job(Status.WAITING, waiting_for="held", resumes_at=long_ago)
    queued.transitions.update(at=long_ago)
    heartbeats.beat()
    holding.hold(by=ANA)
    found = health.check()
    assert (found.worker_state, found.jobs_waiting, found.standstill) == (health.State.ALIVE, 0, "held")
    reaper.reap()
    assert not Job.objects.filter(woken_at__isnull=False).exists()
    assert holding.release(by=ANA) == 2
    found = health.check()
    assert (found.worker_state, found.jobs_waiting, found.standstill) == (health.State.ALIVE, 2, "")
    assert Job.objects.filter(pk__in=[queued.pk, parked.pk], woken_at__isnull=False).count() == 2


def test_nothing_is_done_in_a_copy_until_it_is_confirmed(demo: Demo) -> None:
    jobs = {
        status: factories.job(status, **fields)
        for status, fields in {
            Status.QUEUED: {},
            Status.SELECTING: {"lease_token": "theirs", "beat_at": timezone.now()},
            Status.RUNNING: {"lease_token": "theirs", "beat_at": timezone.now()},
            Status.WAITING: {},
            Status.PAUSING: {},
            Status.CANCELLING: {},
            Status.PAUSED: {},
        }.items()
    }
    flying = factories.batch(jobs[Status.RUNNING], BatchState.SENT)
    make_copy()
    for job in jobs.values():
        execution.run(job.pk, seconds=5)
    assert reaper.reap() == 0
    assert {status: Job.objects.get(pk=job.pk).status for status, job in jobs.items()} == {s: s for s in jobs}
    assert demo.account.ledger.calls.total() == 0
    with pytest.raises(NotPossible, match="This database is a copy"):
        submit(refs=[1], here=False)
    ran = command("release", "--this-database")
    assert ran.out.splitlines()[-1].startswith("5 unfinished jobs paused")
    assert {status: Job.objects.get(pk=job.pk).status for status, job in jobs.items()} == {
        status: Status.CANCELLING if status == Status.CANCELLING else Status.PAUSED for status in jobs
    }
    assert Batch.objects.get(pk=flying.pk).is_doubted
    assert jobs[Status.RUNNING].transitions.order_by("-pk")[0].why.startswith(standstill.WAS_COPIED)
    assert standstill.current() is None
    assert command("release", "--this-database").err.startswith("This database is no copy")


def test_a_new_address_keeps_the_old_one_and_lets_a_job_at_work_go_on(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not identity.read().get("addresses"):
        pytest.skip("about PostgreSQL")
    at_work = factories.job(Status.RUNNING, lease_token="t", beat_at=timezone.now())
    lost = factories.job(Status.RUNNING, lease_token="u", beat_at=timezone.now())
    make_copy("address")

    def beat(_: float) -> None:
        Job.objects.filter(pk=at_work.pk).update(beat_at=timezone.now())

    monkeypatch.setattr(holding, "BEAT_WITHIN", 0.01)
    monkeypatch.setattr("jobs.holding.time.sleep", beat)
    assert holding.confirm_database(by=COMMAND_LINE) == 1
    assert [Job.objects.get(pk=job.pk).status for job in (at_work, lost)] == [Status.RUNNING, Status.PAUSED]
    assert "elsewhere" in Installation.objects.get().identity["addresses"]


def test_a_batch_from_before_the_standstill_counts_only_where_tickets_show_it(demo: Demo) -> None:
    refs = demo.open_tickets[:60]
    made = submit(refs=refs, add=["fresh"])

    def die() -> None:
        if Batch.objects.filter(state=BatchState.SENT).exists():
            raise KeyboardInterrupt

    demo.account.hold()
    with pytest.raises(KeyboardInterrupt):
        run(made, tick=die)
    demo.account.release()
    first = Batch.objects.filter(state=BatchState.SENT).first()
    assert first is not None
    mine = list(first.items.values_list("ref", flat=True))
    assert "fresh" in demo.tags(mine[0])
    demo.take_tag_off(mine[:10], "fresh")
    long_ago = timezone.now() - timedelta(hours=2)
    Batch.objects.filter(state=BatchState.SENT).update(sent_at=long_ago)
    Job.objects.update(lease_token="", woken_at=long_ago)
    job = run(made.job)
    assert counts(job) == {"changed": 50, "failed": 10}
    assert job.items.filter(reason="undone_since", outcome="failed").count() == 10


def test_the_switches_ask_first_and_need_their_permission(db: None, client: Client, web: Client) -> None:
    assert web.get("/jobs/hold").status_code == 403
    client.force_login(factories.user("boss", "view_job", "run_job", "hold_jobs"))
    assert "Hold all jobs" in client.get("/").content.decode()
    assert client.get("/jobs/hold").status_code == 200
    assert standstill.current() is None
    client.post("/jobs/hold", {"why": "Upgrade"})
    page = client.get("/jobs/").content.decode()
    assert "All jobs are held since" in page
    assert "by boss:</b> Upgrade" in page
    client.post("/jobs/release")
    assert "All jobs are held" not in client.get("/jobs/").content.decode()
    make_copy()
    assert "This database is a copy, so nothing is sent from it." in client.get("/").content.decode()
    client.post("/jobs/this-database")
    assert "is a copy" not in client.get("/jobs/").content.decode()
