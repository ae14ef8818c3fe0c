"""The table of states, and the one door through which they change."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.utils import timezone

from jobs import moves
from jobs.models import Job
from jobs.states import ACTIVE, ENDED, MAY_FOLLOW, STOPPED, Status
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
def test_only_what_the_table_allows_happens_and_it_is_written_down(origin: Status, to: Status) -> None:
    job = a_job(origin)
    allowed = origin in MAY_FOLLOW[to]
    needed = NEEDS[Status.WAITING] if to is Status.WAITING else {}
    assert moves.move(job, to, by=ANA, why="Because.", **needed) is allowed
    job.refresh_from_db()
    assert job.status == (to if allowed else origin)
    lines = [(line.from_status, line.to_status, line.actor, line.why) for line in job.transitions.all()]
    assert lines == ([(origin, to, "ana", "Because.")] if allowed else [])


@pytest.mark.django_db
def test_a_move_in_a_worker_s_name_needs_its_token() -> None:
    job = a_job(Status.RUNNING, lease_token="mine")
    assert not moves.move(job, Status.ERRORED, by=ANA, held_with="another's")
    assert moves.move(job, Status.ERRORED, by=ANA, held_with="mine", error="Broken.")
    assert (job.lease_token, job.error) == ("", "Broken.")


@pytest.mark.django_db
def test_of_two_who_move_at_once_one_wins() -> None:
    one, other = a_job(Status.RUNNING), Job.objects.get()
    assert moves.move(one, Status.CANCELLING, by=ANA)
    assert not moves.move(other, Status.PAUSING, by=ANA)
    assert other.status == Status.CANCELLING
