"""The engine alone: jobs of many tickets whose Zendesk answers at once.

Shows how many tickets a second the engine can process and how many queries each batch needs. Neither its
speed nor its memory may depend on the size of the job. One job runs in one process, then two jobs in two.
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
from tests.benchmarks.worker_processes import database_mb

COLUMNS = (
    "jobs",
    "tickets",
    "listing s",
    "sending s",
    "tickets a second",
    "CPU ms a ticket",
    "queries a batch",
    "bytes a ticket",
    "status checks",
    "peak MB",
)


def submit(tickets: int) -> Job:
    return actions.submit(
        tool="bulk-tag",
        title="Add vip to many tickets",
        params={"add": ["vip"]},
        source={"kind": "instant", "number": tickets},
        by=Actor(name="bench"),
    ).job


def run_in_processes(jobs: list[Job], environment: dict[str, str]) -> list[dict[str, Any]]:
    """Run each job in its own process, all at the same time; return what each process printed."""
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.run_one_job", str(job.pk)],
            cwd=settings.BASE_DIR,
            env=environment,
            stdout=subprocess.PIPE,
        )
        for job in jobs
    ]
    outputs = [worker.communicate()[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * len(jobs)
    return [json.loads(text) for text in outputs]


def use_real_disk() -> None:
    """Make commits of the tests' PostgreSQL durable again, so that they cost as much as in production."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for setting in ("fsync", "full_page_writes", "synchronous_commit"):
                cursor.execute(f"ALTER SYSTEM RESET {setting}")
            cursor.execute("SELECT pg_reload_conf()")


def test_engine(transactional_db: None, process_environment: dict[str, str]) -> None:
    use_real_disk()
    tickets = sizes.engine_tickets()
    rows, speeds = [], []
    for name, shares in (
        ("one, small", [tickets // 10]),
        ("one", [tickets]),
        ("one, large", [tickets * 5]),
        ("two at once", [tickets // 2, tickets // 2]),
    ):
        before = database_mb()
        results = run_in_processes([submit(share) for share in shares], process_environment)
        assert [(one["status"], one["changed"]) for one in results] == [
            ("succeeded", share) for share in shares
        ]
        seconds = max(one["finished"] for one in results) - min(one["started"] for one in results)
        speeds.append(sum(shares) / seconds)
        cpu = sum(one["cpu"] for one in results) / sum(shares)
        growth = (database_mb() - before) * 1e6 / sum(shares)
        rows.append(
            (
                name,
                f"{sum(shares):,}",
                f"{max(one['listing'] for one in results):.1f}",
                f"{max(one['sending'] for one in results):.1f}",
                f"{sum(shares) / seconds:,.0f}",
                f"{cpu * 1000:.2f}",
                f"{sum(one['queries'] for one in results) / sum(one['batches'] for one in results):.1f}",
                f"{growth:,.0f}",
                sum(one["status_checks"] for one in results),
                f"{max(one['peak_mb'] for one in results):.0f}",
            )
        )
    assert list(recount.drifts()) == []
    figures.save("engine", tickets_a_second=max(speeds[1:]))
    figures.print_table(
        f"The engine alone, {figures.database()}",
        "Worker processes whose Zendesk answers at once; every commit reaches the disk as in production.\n"
        "CPU is that of the workers. Bytes are the growth of the database, reserved space included.\n"
        "Targets: 3,000 tickets a second on two cores, a worker under 150 MB whatever the job's size.",
        COLUMNS,
        rows,
    )
