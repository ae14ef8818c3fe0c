"""`python -m tests.benchmarks.run_one_job JOB`: runs this one job and prints what it cost.

It prints one JSON object: seconds for listing and for sending, the number of queries, and the peak memory.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import django

#: Seconds; longer than any measured job.
TIME_LIMIT = 3_600.0


class QueryCounter:
    """Counts the queries that pass through it."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, execute: Any, *arguments: Any) -> Any:
        self.number += 1
        return execute(*arguments)


def main(pk: int) -> None:
    django.setup()
    from django.conf import settings
    from django.db import connection

    from jobs.engine import execution
    from jobs.models import Job
    from tests.benchmarks.figures import peak_memory

    settings.JOBS_WORK = "tests.benchmarks.instant_work.InstantWork"
    counter = QueryCounter()
    started = time.process_time()
    with connection.execute_wrapper(counter):
        execution.run(pk, seconds=TIME_LIMIT)
    cpu = time.process_time() - started
    job = Job.objects.get(pk=pk)
    assert job.started_at
    assert job.frozen_at
    assert job.finished_at
    result = {
        "status": job.status,
        "changed": job.changed,
        "batches": job.calls_write,
        "status_checks": job.calls_status,
        "started": job.started_at.timestamp(),
        "listing": (job.frozen_at - job.started_at).total_seconds(),
        "sending": (job.finished_at - job.frozen_at).total_seconds(),
        "finished": job.finished_at.timestamp(),
        "queries": counter.number,
        "cpu": cpu,
        "peak_mb": peak_memory(),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main(int(sys.argv[1]))
