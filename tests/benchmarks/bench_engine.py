"""The engine alone: a job of many tickets whose Zendesk answers at once.

Shows how many tickets a second the program itself can account for, how often it asks the database for each
batch, and that neither its pace nor its memory depends on the size of the job. One job in one process, then
two jobs in two.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from django.conf import settings
from django.db import connection

from jobs import actions
from jobs.actors import Actor
from jobs.models import Job
from jobs.reports import recount
from tests.benchmarks import figures, sizes
from tests.benchmarks.worker_processes import size_of_database

COLUMNS = (
    "jobs",
    "tickets",
    "listing s",
    "sending s",
    "tickets a second",
    "CPU ms a ticket",
    "queries a batch",
    "bytes a ticket",
    "questions",
    "peak MB",
)


def make(tickets: int) -> Job:
    return actions.submit(
        tool="bulk-tag",
        title="Add vip to many tickets",
        params={"add": ["vip"]},
        source={"kind": "instant", "number": tickets},
        by=Actor(name="bench"),
    ).job


def work_on(jobs: list[Job], environment: dict[str, str]) -> list[dict[str, Any]]:
    """Each job in a process of its own, all at once; what each process said."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.run_one_job", str(job.pk)],
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=subprocess.PIPE,
        )
        for job in jobs
    ]
    said = [worker.communicate()[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * len(jobs)
    return [json.loads(text) for text in said]


def use_real_disk() -> None:
    """Take back what the tests' PostgreSQL leaves out, so that a commit costs what it costs in earnest."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                cursor.execute(f"ALTER SYSTEM RESET {setting}")
            cursor.execute("SELECT pg_reload_conf()")


def test_engine(transactional_db: None, process_environment: dict[str, str]) -> None:
    use_real_disk()
    tickets = sizes.tickets()
    rows, paces = [], []
    for name, shares in (
        ("one, small", [tickets // 10]),
        ("one", [tickets]),
        ("one, large", [tickets * 5]),
        ("two at once", [tickets // 2, tickets // 2]),
    ):
        before = size_of_database()
        said = work_on([make(share) for share in shares], process_environment)
        assert [(one["status"], one["changed"]) for one in said] == [("succeeded", share) for share in shares]
        seconds = max(one["finished"] for one in said) - min(one["started"] for one in said)
        paces.append(sum(shares) / seconds)
        cpu = sum(one["cpu"] for one in said) / sum(shares)
        grown = (size_of_database() - before) * 1e6 / sum(shares)
        rows.append(
            (
                name,
                f"{sum(shares):,}",
                f"{max(one['listing'] for one in said):.1f}",
                f"{max(one['sending'] for one in said):.1f}",
                f"{sum(shares) / seconds:,.0f}",
                f"{cpu * 1000:.2f}",
                f"{sum(one['queries'] for one in said) / sum(one['batches'] for one in said):.1f}",
                f"{grown:,.0f}",
                sum(one["questions"] for one in said),
                f"{max(one['peak_mb'] for one in said):.0f}",
            )
        )
    assert list(recount.drifts()) == []
    figures.keep("engine", tickets_a_second=max(paces[1:]))
    figures.tell(
        f"The engine alone, {figures.database()}",
        "Worker processes whose Zendesk answers at once; every commit reaches the disk as in production.\n"
        "CPU is the workers' own. Bytes are what the database grew by, with what it keeps in reserve.\n"
        "Targets: 3,000 tickets a second on two cores, a worker under 150 MB whatever the job's size.",
        COLUMNS,
        rows,
    )
