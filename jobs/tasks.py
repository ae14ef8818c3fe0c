"""The entry point for Django-Q2: takes a primary key and makes one call."""

from __future__ import annotations

from jobs.engine import execution
from jobs.runtime import shutdown

#: Seconds that a worker spends on one job before it releases it for others.
SLICE = 10.0
#: Seconds at most while no other job waits. With the time for database retries it stays below the queue's own
#: time-out.
ALONE = 60.0


def work_on(job_id: int) -> None:
    """Work on the job for a time slice, if it exists and nobody else holds it.

    A cluster that is stopping ignores the messages it has fetched; the reaper of the next one wakes their
    jobs.
    """
    if shutdown.is_requested():
        return
    execution.run(job_id, seconds=SLICE, seconds_alone=ALONE)
