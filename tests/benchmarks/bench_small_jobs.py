"""A thousand small jobs that are queued already, with one worker as it comes: jobs a second, and its memory.

The demo Zendesk runs in its own process and answers at once, so that all the time is ours.
"""

from __future__ import annotations

import os
from pathlib import Path

from jobs import actions
from jobs.actors import Actor
from jobs.models import Job
from tests.benchmarks import figures
from tests.benchmarks.worker_processes import await_end, start_workers
from tests.benchmarks.zendesk_process import start_zendesk

JOBS, TICKETS = int(os.environ.get("BENCH_SMALL_JOBS", "1000")), 10
COLUMNS = ("jobs", "tickets each", "seconds", "jobs a second", "calls a job", "MB after 100", "MB at the end")


def submit(refs: list[int], number: int) -> Job:
    return actions.submit(
        tool="bulk-tag",
        title="Add a tag to ten tickets",
        params={"add": [f"small_{number}"], "remove": [], "set": [], "include_closed": False},
        source={"kind": "ids", "name": "", "number": len(refs), "doubles": 0},
        refs=refs,
        by=Actor(name="bench"),
    ).job


def test_small_jobs(transactional_db: None, process_environment: dict[str, str], tmp_path: Path) -> None:
    with start_zendesk(tickets=JOBS * TICKETS) as zendesk:
        refs = zendesk.ticket_ids()
        jobs = [submit(refs[n * TICKETS : (n + 1) * TICKETS], n) for n in range(JOBS)]
        with start_workers(process_environment | zendesk.environment, tmp_path) as workers:
            await_end(jobs[: JOBS // 10])
            early = workers.memory_mb()
            await_end(jobs)
            late = workers.memory_mb()
        ledger = zendesk.ledger()
    assert [(job.status, job.found, job.remaining) for job in jobs] == [("succeeded", TICKETS, 0)] * JOBS
    started = min(job.started_at for job in jobs if job.started_at)
    seconds = (max(job.finished_at for job in jobs if job.finished_at) - started).total_seconds()
    row = (
        *(f"{JOBS:,}", TICKETS, f"{seconds:.1f}", f"{JOBS / seconds:.1f}"),
        *(f"{sum(ledger['calls'].values()) / JOBS:.1f}", f"{early:.0f}", f"{late:.0f}"),
    )
    figures.save("small jobs", jobs_a_second=JOBS / seconds, mb_after_100=early, mb_at_the_end=late)
    figures.print_table(
        f"Small jobs that wait, {figures.database()}",
        "One run_worker with its default of two processes; Zendesk answers at once. Memory is that of the\n"
        "worker's largest process.",
        COLUMNS,
        [row],
    )
