"""The table of statuses, and the only function that changes them."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.utils import timezone

from jobs import actions, transitions
from jobs.models import Job
from jobs.states import ACTIVE, ENDED, MAY_FOLLOW, STOPPED, BatchState, FollowUp, Guarded, Status
from tests import factories
from tests.demo import ANA

#: What a row of each status must have besides.
NEEDS: dict[Status, dict[str, Any]] = {
    Status.WAITING: {"resumes_at": timezone.now(), "waiting_for": "rate_limit"},
    **{status: {"finished_at": timezone.now()} for status in ENDED},
}


def a_job(status: Status, **fields: Any) -> Job:
    return Job.objects.create(
        tool="bulk-tag",
        title="A job",
        source={"kind": "ids"},
        status=status,
        **NEEDS.get(status, {}) | fields,
    )


def test_every_status_is_in_exactly_one_group() -> None:
    assert sorted([*ACTIVE, *STOPPED, *ENDED]) == sorted(Status)


def test_every_status_can_be_reached() -> None:
    assert set(MAY_FOLLOW) == set(Status)


def test_an_ended_job_is_never_reopened() -> None:
    assert not {origin for origins in MAY_FOLLOW.values() for origin in origins} & ENDED


@pytest.mark.parametrize(("origin", "to"), list(itertools.product(Status, Status)))
@pytest.mark.django_db
def test_only_what_the_table_allows_happens_and_it_is_recorded(origin: Status, to: Status) -> None:
    job = a_job(origin)
    allowed = origin in MAY_FOLLOW[to]
    needed = NEEDS[Status.WAITING] if to is Status.WAITING else {}
    assert transitions.move(job, to, by=ANA, why="Because.", **needed) is allowed
    job.refresh_from_db()
    assert job.status == (to if allowed else origin)
    lines = [(line.from_status, line.to_status, line.actor, line.why) for line in job.transitions.all()]
    assert lines == ([(origin, to, "ana", "Because.")] if allowed else [])


@pytest.mark.django_db
def test_a_move_in_a_worker_s_name_needs_its_token() -> None:
    job = a_job(Status.RUNNING, lease_token="mine")
    assert not transitions.move(job, Status.ERRORED, by=ANA, held_with="another's")
    assert transitions.move(job, Status.ERRORED, by=ANA, held_with="mine", error="Broken.")
    assert (job.lease_token, job.error) == ("", "Broken.")


@pytest.mark.django_db
def test_of_two_moves_at_once_one_wins() -> None:
    one, other = a_job(Status.RUNNING), Job.objects.get()
    assert transitions.move(one, Status.CANCELLING, by=ANA)
    assert not transitions.move(other, Status.PAUSING, by=ANA)
    assert other.status == Status.CANCELLING


#: What a click does to a job of each status: when no worker has it and nothing is in flight, when a worker
#: has it in hand, and when batches of it are in flight and nobody has it. What is not listed is refused.
CLICKS: dict[str, dict[Status, tuple[Status | None, Status | None, Status | None]]] = {
    "pause": {
        Status.QUEUED: (Status.PAUSED, Status.PAUSING, Status.PAUSING),
        Status.SELECTING: (Status.PAUSED, Status.PAUSING, Status.PAUSING),
        Status.RUNNING: (Status.PAUSED, Status.PAUSING, Status.PAUSING),
        Status.WAITING: (Status.PAUSED, Status.PAUSING, Status.PAUSING),
        Status.PAUSING: (Status.PAUSED, None, None),
    },
    "resume": {
        Status.PAUSED: (Status.QUEUED,) * 3,
        Status.ERRORED: (Status.QUEUED,) * 3,
        Status.WAITING: (Status.WAITING,) * 3,
    },
    "cancel": {
        Status.QUEUED: (Status.CANCELLED, Status.CANCELLING, Status.CANCELLING),
        Status.SELECTING: (Status.CANCELLING,) * 3,
        Status.RUNNING: (Status.CANCELLING,) * 3,
        Status.WAITING: (Status.CANCELLED, Status.CANCELLING, Status.CANCELLING),
        Status.PAUSING: (Status.CANCELLING,) * 3,
        Status.PAUSED: (Status.CANCELLED, Status.CANCELLING, Status.CANCELLING),
        Status.ERRORED: (Status.CANCELLED, Status.CANCELLING, Status.CANCELLING),
        Status.CANCELLING: (Status.CANCELLED, None, None),
    },
}


@pytest.mark.parametrize("situation", ["free", "in hand", "in flight"])
@pytest.mark.parametrize(("click", "status"), list(itertools.product(CLICKS, Status)))
@pytest.mark.django_db
def test_a_click_does_one_thing_that_is_recorded_or_is_refused_in_words(
    click: str, status: Status, situation: str
) -> None:
    if situation == "in hand" and status not in ACTIVE:
        return  # nobody can have it
    job = a_job(status, lease_token="t" if situation == "in hand" else "")
    if situation == "in flight":
        factories.batch(job, BatchState.SENT)
    before = Job.objects.filter(pk=job.pk).values().get()
    to = CLICKS[click].get(status, (None, None, None))[["free", "in hand", "in flight"].index(situation)]
    if to is None:
        with pytest.raises(actions.NotPossible, match=rf"^Job {job.pk} cannot be \w+: it is \w+\.$"):
            getattr(actions, click)(job=job, by=ANA)
        assert Job.objects.filter(pk=job.pk).values().get() == before
        assert not job.transitions.exists()
        return
    getattr(actions, click)(job=job, by=ANA)
    job.refresh_from_db()
    assert job.status == to
    line = job.transitions.get()
    assert (line.from_status, line.to_status, line.actor) == (status, to, "ana")


@pytest.mark.parametrize(("kind", "status"), list(itertools.product([k for k in FollowUp if k], Status)))
@pytest.mark.django_db
def test_a_follow_up_leaves_the_job_as_it_is_and_only_an_ended_one_has_it(
    kind: FollowUp, status: Status
) -> None:
    counts = {"planned": 1, "changed": 1, "failed": 1, "total": 4}
    job = factories.job(status, dry_run=kind is FollowUp.RUN, guarded=Guarded.STAYS, **counts)
    before = Job.objects.filter(pk=job.pk).values().get()
    lines = list(job.transitions.values())
    if status in ENDED:
        made = actions.follow_up(job=job, kind=kind, by=ANA).job
        assert [(line.from_status, line.to_status) for line in made.transitions.all()] == [("", "queued")]
    else:
        with pytest.raises(actions.NotPossible, match="can be followed up when it has ended"):
            actions.follow_up(job=job, kind=kind, by=ANA)
    assert Job.objects.count() == 1 + (status in ENDED)
    assert Job.objects.filter(pk=job.pk).values().get() == before
    assert list(job.transitions.values()) == lines


@pytest.mark.parametrize(
    ("stored", "to", "moved"),
    [
        (Status.RUNNING, Status.SUCCEEDED, True),
        (Status.CANCELLING, Status.SUCCEEDED, True),  # clicked after the row was read
        (Status.ERRORED, Status.PAUSED, False),
    ],
)
@pytest.mark.django_db
def test_a_row_that_was_just_read_is_moved_from_what_is_stored_and_shows_it(
    stored: Status, to: Status, moved: bool
) -> None:
    job = a_job(Status.RUNNING)
    Job.objects.filter(pk=job.pk).update(status=stored, title="Renamed")
    assert transitions.move(job, to, by=ANA, was_just_read=True) is moved
    now = Job.objects.get(pk=job.pk)
    assert now.status == (to if moved else stored)
    assert (job.status, job.finished_at, job.lease_token) == (now.status, now.finished_at, now.lease_token)
    assert list(job.transitions.values_list("from_status", "to_status")) == [(stored, to)] * moved
    # Read again only where somebody else was first.
    assert job.title == ("A job" if stored is Status.RUNNING else "Renamed")
