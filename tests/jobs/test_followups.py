"""Retrying an undo, or running the rest of one, goes on undoing; it does not redo what was undone."""

from __future__ import annotations

from jobs import actions
from jobs.followups import purpose_of
from jobs.models import Job
from jobs.states import FollowUp
from tests.demo import ANA, Demo, counts, follow, outcomes, run, submit


def changed(demo: Demo, number: int) -> Job:
    refs = [ref for ref in demo.open_tickets if "vip" not in demo.tags(ref)][:number]
    job = run(submit(refs=refs, add=["vip"]))
    assert counts(job) == {"changed": number}
    return job


def test_the_retry_of_an_undo_reverts_what_the_undo_could_not(demo: Demo) -> None:
    job = changed(demo, 3)
    refs = sorted(outcomes(job))
    demo.fault("item_error", ids=refs[:1], times=1, code="RecordInvalid", text="Resolution: is required")
    undo = follow(job, FollowUp.UNDO)
    assert counts(undo) == {"changed": 2, "failed": 1}
    retry = follow(undo, FollowUp.RETRY)
    assert (counts(retry), retry.title) == (
        {"changed": 1},
        f"Retry of the undo of job {job.pk}: Add vip to some tickets",
    )
    assert ["vip" in demo.tags(ref) for ref in refs] == [False] * 3
    assert (purpose_of(retry).kind, purpose_of(retry).origin_job_id) == (FollowUp.UNDO, job.pk)


def test_the_rest_of_a_cancelled_undo_reverts_too_even_when_it_is_read_again(demo: Demo) -> None:
    job = changed(demo, 4)
    undo = actions.follow_up(job=job, kind=FollowUp.UNDO, by=ANA).job
    run(undo, seconds=0.0)
    Job.objects.filter(pk=undo.pk).update(canary=1)
    undo = run(undo)
    assert (undo.status, counts(undo)) == ("paused", {"changed": 1, "remaining": 3})
    actions.cancel(job=undo, by=ANA)
    rest = actions.follow_up(job=undo, kind=FollowUp.REST, by=ANA).job
    run(rest, seconds=0.0)
    rest.batches.update(read_at=None)
    assert counts(run(rest)) == {"changed": 3}
    assert ["vip" in demo.tags(ref) for ref in outcomes(job)] == [False] * 4


def test_the_undo_of_an_undo_restores_what_it_reverted(demo: Demo) -> None:
    job = changed(demo, 2)
    undo = follow(job, FollowUp.UNDO)
    again = follow(undo, FollowUp.UNDO)
    assert counts(again) == {"changed": 2}
    assert ["vip" in demo.tags(ref) for ref in outcomes(job)] == [True] * 2
    assert (purpose_of(again).kind, purpose_of(again).origin_job_id) == (FollowUp.UNDO, undo.pk)
