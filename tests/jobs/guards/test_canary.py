"""What a job says of the first tickets it was tried on, and when it asks a person to look at them."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.actors import Actor, person, this_worker
from jobs.guards.canary import canary_question, canary_summary
from jobs.models import Job
from jobs.states import BatchState, Status
from jobs.transitions import record
from tests import factories


@pytest.mark.parametrize(
    ("batches", "total", "done", "sentence"),
    [
        (
            [{"changed": 1}],
            2,
            {"changed": 1},
            "ticket: 1 changed. Look at it: going on sends the other one, stopping leaves it as it is.",
        ),
        (
            [
                {"changed": 1, "unchanged": 2},
                {"skipped": 3, "failed": 4, "changed": 1_000},
                {"unverified": 5},
            ],
            3_000,
            {"changed": 1_001, "unchanged": 2, "skipped": 3, "failed": 4, "unverified": 5},
            (
                "1,015 tickets: 1,001 changed, 2 as wished already, 3 skipped, 4 failed, 5 could not "
                "be verified. Look at them: going on sends the other 1,985, stopping leaves them as they are."
            ),
        ),
    ],
)
def test_the_summary_counts_what_was_sent_and_says_what_going_on_and_stopping_do(
    db: None, batches: list[dict[str, Any]], total: int, done: dict[str, int], sentence: str
) -> None:
    job = factories.job(Status.RUNNING, total=total, **done)
    for counts in batches:
        factories.batch(job, BatchState.SETTLED, **counts)
    factories.batch(factories.job(), failed=7)
    assert canary_summary(job) == f"Tried on the first {sentence}"


def asked(job: Job, before: Status, *, by: Actor) -> str:
    record(job, before, Status(job.status), by=by, why="Look at them.")
    return canary_question(job, job.transitions.order_by("-pk").first())


def test_the_job_asks_while_it_rests_after_its_first_tickets(db: None) -> None:
    assert asked(factories.job(Status.PAUSED), Status.RUNNING, by=this_worker()) == "Look at them."


def test_a_job_that_a_person_paused_or_that_is_not_at_rest_asks_nothing(db: None) -> None:
    ana = person(factories.runner("ana"))
    assert asked(factories.job(Status.PAUSED), Status.RUNNING, by=ana) == ""
    assert asked(factories.job(Status.PAUSED), Status.PAUSING, by=this_worker()) == ""
    assert asked(factories.job(Status.WAITING), Status.RUNNING, by=this_worker()) == ""
    assert canary_question(factories.job(Status.PAUSED), None) == ""
