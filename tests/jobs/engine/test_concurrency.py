"""Slots, which all jobs share."""

from __future__ import annotations

from typing import Any

import pytest

from jobs import actions
from jobs.actors import Actor
from jobs.engine import execution, poll_schedule
from jobs.engine.pipeline import Pipeline
from jobs.models import Batch
from jobs.states import BatchState, Status
from tests import factories


def test_a_job_that_shares_the_slots_always_has_a_batch_in_flight_while_it_waits(
    job_counts: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.JOBS_WORK = "tests.benchmarks.instant_work.InstantWork"
    factories.job(Status.RUNNING)  # another one, which leaves it half of the ten slots
    job = actions.submit(
        tool="bulk-tag",
        title="Add vip to many tickets",
        params={"add": ["vip"]},
        source={"kind": "instant", "number": 1_200},
        by=Actor(name="ana"),
    ).job
    under_way: list[int] = []
    rests: list[int] = []
    in_flight = Batch.objects.filter(job=job, state=BatchState.SENT)
    # Late enough that all five are in flight before the first poll, however slow the database is.
    monkeypatch.setattr(poll_schedule, "SHORTEST", 0.5)
    monkeypatch.setattr(Pipeline, "wait", lambda *_: rests.append(in_flight.count()))
    execution.run(job.pk, seconds=60, on_step=lambda: under_way.append(in_flight.count()))
    job.refresh_from_db()
    assert (job.status, job.changed) == ("succeeded", 1_200)
    assert max(under_way) == 5
    assert 0 not in rests
