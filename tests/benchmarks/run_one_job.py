"""`python -m tests.benchmarks.run_one_job JOB`: a process that works on this one job and then says what it took.

It prints one JSON object: seconds of reading the list and of sending, queries, and the most memory it held.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import django

#: Longer than any measured job, seconds.
TO_THE_END = 3_600.0


class Counter:
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
    counter = Counter()
    begun = time.process_time()
    with connection.execute_wrapper(counter):
        execution.run(pk, seconds=TO_THE_END)
    cpu = time.process_time() - begun
    job = Job.objects.get(pk=pk)
    assert job.started_at
    assert job.frozen_at
    assert job.finished_at
    said = {
        "status": job.status,
        "changed": job.changed,
        "batches": job.calls_write,
        "questions": job.calls_status,
        "started": job.started_at.timestamp(),
        "listing": (job.frozen_at - job.started_at).total_seconds(),
        "sending": (job.finished_at - job.frozen_at).total_seconds(),
        "finished": job.finished_at.timestamp(),
        "queries": counter.number,
        "cpu": cpu,
        "peak_mb": peak_memory(),
    }
    print(json.dumps(said))


if __name__ == "__main__":
    main(int(sys.argv[1]))
