"""`prune_jobs`: its output, its question, and that it may be killed and run beside workers."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.utils import timezone

from jobs.models import Item, Job, Pruning
from jobs.states import FINAL, FollowUp, Guarded, Outcome, Status
from tests import factories
from tests.demo import counts, demo_zendesk, outcomes, run, submit
from tests.processes import Ran, await_that, command, end_of

Manage = Callable[..., subprocess.Popen[str]]
OLD = timezone.now() - timedelta(days=100)
#: A date, and how much of the database, which differ from run to run.
VARYING = (re.compile(r"before .*? UTC"), re.compile(r", about [\d,]+ MB of the database"))


def old(status: Status = Status.SUCCEEDED, **fields: Any) -> Job:
    fields.setdefault("found", sum(fields.get(outcome.value, 0) for outcome in FINAL))
    return factories.job(status, **{"created_at": OLD, "finished_at": OLD} | fields)


def prune(*arguments: str) -> Ran:
    ran = command("prune_jobs", "--older-than", "90", *arguments)
    out = VARYING[1].sub("", VARYING[0].sub("before then", ran.out))
    return Ran(ran.code, out, ran.err)


@pytest.fixture
def several(db: None) -> list[Job]:
    """Jobs that go, and one for each reason to stay."""
    undone = old(changed=5)
    old(changed=5, parent=undone, follow_up=FollowUp.UNDO)
    old(changed=1_200, guarded=Guarded.STAYS)
    followed = old(Status.PARTIAL, changed=1, failed=1)
    factories.job(Status.SUCCEEDED, parent=followed, follow_up=FollowUp.RETRY, changed=1)
    taken = old(changed=2)
    factories.job(Status.QUEUED, source={"kind": "items", "job": taken.pk, "outcomes": ["changed"]})
    standing = old(Status.PAUSED, finished_at=None)
    return [undone, followed, taken, standing]


def test_a_dry_run_says_what_would_be_deleted_and_what_stays(several: list[Job]) -> None:
    before = list(Job.stored.values())
    ran = prune("--dry-run")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "Ended before then: 3 jobs with the records of 1,210 tickets.",
        "What they changed on 1,200 tickets can not be taken back after that.",
        "1 job left a guard tag on tickets, which can then only be removed as any other tag.",
        "Kept: 1 job as old, because a follow-up is younger or has not ended.",
        "Kept: 1 job as old, because a job that has not ended takes their tickets.",
        f"Kept: 1 job as old that never ended ({several[-1].pk}). Resume or cancel them.",
    ]
    assert (list(Job.stored.values()), Pruning.objects.count()) == (before, 0)


def test_without_a_terminal_nothing_is_deleted_unless_yes_is_given(several: list[Job]) -> None:
    number = Job.stored.count()
    ran = prune()
    assert (ran.code, ran.out, Job.stored.count()) == (2, "", number)
    assert ran.err == "This would delete jobs, and there is no terminal to ask on. Add --yes to do it.\n"
    factories.user("ana")
    ran = prune("--yes", "--as", "ana")
    assert (ran.code, ran.err, Job.stored.count()) == (0, "", number - 3)
    assert "Deleted 3 jobs with what was recorded of 0 tickets." in ran.out
    assert Pruning.objects.values_list("actor", "jobs", "found").get() == ("ana", 3, 1_210)
    ran = prune("--yes")
    assert ran.out.splitlines()[0] == "No job is to go that ended before then."
    assert (ran.code, Job.stored.count(), Pruning.objects.count()) == (0, number - 3, 1)


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("answer", "code", "left"), [("\n", 4, 1), ("no\n", 4, 1), ("y\n", 0, 0)])
def test_a_terminal_is_asked(
    db: None, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, left: int
) -> None:
    old(changed=1)
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    ran = prune()
    assert (ran.code, Job.stored.count()) == (code, left)
    assert "Delete them? [y/N] " in ran.out
    assert ran.err == ("Nothing was done.\n" if code else "")


@pytest.mark.once
@pytest.mark.parametrize("days", ["0", "-1", "1000000"])
def test_an_implausible_number_of_days_is_refused(db: None, days: str) -> None:
    old(changed=1)
    ran = command("prune_jobs", "--older-than", days, "--yes")
    assert (ran.code, ran.out, Job.stored.count()) == (2, "", 1)


def large(number: int) -> Job:
    job = old(changed=number)
    batch = factories.batch(job, changed=number)
    Item.objects.bulk_create(
        Item(job=job, ref=ref, batch=batch, outcome=Outcome.CHANGED) for ref in range(number)
    )
    return job


@pytest.mark.slow
def test_killed_half_way_the_next_run_does_the_rest_beside_a_job_at_work(
    transactional_db: None, settings: Any, manage: Manage
) -> None:
    number = 30_000
    job = large(number)
    killed = manage("prune_jobs", "--older-than", "90", "--yes")
    await_that(lambda: killed.poll() is not None or Item.objects.count() < number, "the first items to go")
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    left = Item.objects.count()
    assert 0 < left < number
    assert (Job.objects.count(), list(Job.stored.being_pruned())) == (0, [job])
    assert command("check_jobs").out == "0 jobs recounted, nothing drifts.\n"
    assert prune("--dry-run").out.splitlines() == [
        "An earlier run was broken off: what it left of 1 job goes first.",
        "No job is to go that ended before then.",
    ]
    with demo_zendesk(settings) as demo:
        rest = manage("prune_jobs", "--older-than", "90", "--yes")
        refs = demo.open_tickets[:300]
        at_work = run(submit(refs=refs, add=["brand-new"]))
        ended = end_of(rest)
        assert (ended.code, ended.err) == (0, "")
        assert f"Deleted 1 job with what was recorded of {left:,} tickets." in ended.out
        assert (at_work.status, counts(at_work)) == (Status.SUCCEEDED, {"changed": 300})
        assert outcomes(at_work) == dict.fromkeys(refs, "changed")
    assert (list(Job.stored.all()), Item.objects.count()) == ([at_work], 300)
    assert command("check_jobs").out == "1 job recounted, nothing drifts.\n"
    assert Pruning.objects.values_list("jobs", "found", "changed").get() == (1, number, number)
