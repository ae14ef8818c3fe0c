"""What probes ask."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.models import Beat, Job, Transition
from jobs.states import Status
from jobs.workers import health, heartbeats
from tests.demo import submit

NOBODY = {
    "database": "ok",
    "worker": False,
    "worker_state": "none",
    "workers": 0,
    "newest_beat_seconds": None,
    "jobs_waiting": 0,
    "oldest_waiting_seconds": None,
    "clock_offset_seconds": 0,
    "standstill": "",
    "degraded": {},
}


def told(client: Client, address: str = "/healthz") -> tuple[int, dict[str, Any]]:
    response = client.get(address)
    return response.status_code, response.json()


def age(job: Job, seconds: int) -> None:
    """It has waited for that time."""
    Transition.objects.filter(job=job).update(at=timezone.now() - timedelta(seconds=seconds))


def test_it_answers_without_a_login_and_reports_the_worker(db: None, client: Client) -> None:
    assert told(client) == (200, NOBODY)
    heartbeats.beat()
    assert told(client) == (
        200,
        NOBODY | {"worker": True, "worker_state": "alive", "workers": 1, "newest_beat_seconds": 0},
    )


def test_a_probe_of_the_worker_fails_while_none_is_alive(db: None, client: Client) -> None:
    assert told(client, "/healthz?worker=1") == (503, NOBODY)
    heartbeats.beat()
    assert told(client, "/healthz?worker=1")[0] == 200
    Beat.objects.update(at=timezone.now() - timedelta(minutes=2))
    assert told(client, "/healthz?worker=1") == (503, NOBODY | {"newest_beat_seconds": 120})


def test_it_reports_how_many_jobs_wait_for_a_worker_and_for_how_long(db: None, client: Client) -> None:
    waiting = [submit(refs=[1], here=False).job for _ in range(2)]
    later = submit(refs=[2], here=False).job  # waits for a time, not for a worker
    Job.objects.filter(pk=later.pk).update(
        status=Status.WAITING, resumes_at=timezone.now() + timedelta(minutes=5)
    )
    for job, seconds in zip(waiting, (7, 20), strict=True):
        age(job, seconds)
    assert told(client) == (200, NOBODY | {"jobs_waiting": 2, "oldest_waiting_seconds": 20})


def test_living_workers_that_do_no_work_are_reported_as_stuck(db: None, client: Client) -> None:
    job = submit(refs=[1], here=False).job
    heartbeats.beat()
    age(job, 20)
    assert told(client, "/healthz?worker=1")[0] == 200
    age(job, 40)
    code, answer = told(client, "/healthz?worker=1")
    assert (code, answer["worker"], answer["worker_state"]) == (503, True, "stuck")
    assert told(client)[0] == 200
    # With another job in hand they are only busy.
    submit(refs=[2], here=True)
    assert told(client, "/healthz?worker=1")[1]["worker_state"] == "alive"


def test_a_probe_reads_no_table_that_grows_with_the_tickets(db: None) -> None:
    health.check()  # asks PostgreSQL once which database it is
    with CaptureQueriesContext(connection) as few:
        health.check()
    for _ in range(5):
        submit(refs=[1], here=False)
    heartbeats.beat()
    with CaptureQueriesContext(connection) as more:
        health.check()
    assert [q["sql"] for q in more if "jobs_item" in q["sql"] or "jobs_batch" in q["sql"]] == []
    assert len(more) == len(few) == 5


def test_it_fails_when_the_database_does_not_answer(
    db: None, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise DatabaseError("gone")

    with monkeypatch.context() as broken:
        broken.setattr(connection, "cursor", away)
        response = client.get("/healthz")
    assert (response.status_code, response.json()) == (503, {"database": "away", "worker": False})
