"""The doorway for Django-Q2: a primary key in, one call on."""

from __future__ import annotations

from jobs.engine import execution
from jobs.runtime import shutdown
from jobs.workers import reaper

#: How long a worker stays with one job before it puts it down for others, seconds.
SLICE = 10.0
#: How long at most while no other job waits for a worker; with the patience for the database it stays below
#: the queue's own limit.
ALONE = 60.0


def work_on(job_id: int) -> None:
    """A wake-up: work on the job for a slice, if it is there and nobody else has it.

    A cluster that stops lets the messages go by that it has fetched; the watch of the next one wakes
    their jobs.
    """
    if shutdown.is_requested():
        return
    reaper.reap()
    execution.run(job_id, seconds=SLICE, seconds_alone=ALONE)
