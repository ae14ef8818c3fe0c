"""Why a job needs somebody, in a list."""

from __future__ import annotations

from jobs.models import Transition
from jobs.presentation.attention import attention_words
from jobs.states import Status
from tests import factories


def test_each_kind_of_job_that_needs_somebody_says_why(db: None) -> None:
    stopped = factories.job(Status.ERRORED, error="Zendesk refused our credentials.")
    unexplained = factories.job(Status.ERRORED)
    failed = factories.job(Status.PARTIAL, failed=47, changed=1_000)
    unsure = factories.job(Status.PARTIAL, failed=1, unverified=3)
    paused, asking = factories.job(Status.PAUSED), factories.job(Status.PAUSED)
    steps = ((Status.RUNNING, Status.PAUSING, "ana"), (Status.PAUSING, Status.PAUSED, "worker"))
    for since, to, actor in steps:
        Transition.objects.create(job=paused, from_status=since, to_status=to, actor=actor)
    Transition.objects.create(
        job=asking,
        from_status=Status.RUNNING,
        to_status=Status.PAUSED,
        actor="worker",
        why="Does it look right?",
    )
    assert [attention_words(job) for job in (stopped, unexplained, failed, unsure, paused, asking)] == [
        "Zendesk refused our credentials.",
        "It could not go on.",
        "47 failed of 1,047 tickets.",
        "1 failed and 3 could not be verified of 4 tickets.",
        "ana paused it.",
        "Does it look right?",
    ]
