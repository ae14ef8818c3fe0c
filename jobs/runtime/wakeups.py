"""Wake-ups: messages in the Django-Q2 queue that name a job to work on, and nothing more.

The queue is a table of the same database, so they commit and roll back with the job's row. A second wake-up
does no harm, and the reaper replaces a lost one.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django_q.brokers import get_broker
from django_q.models import OrmQ
from django_q.tasks import async_task

from jobs.clocks import clock
from jobs.runtime.broker import Broker
from jobs.runtime.messages import TASK

if TYPE_CHECKING:
    from jobs.models import Job


def wake(job: Job, *, at: datetime | None = None) -> None:
    """Queue a wake-up for the job, which no worker takes before `at`."""
    job.woken_at = at or clock.now()
    job.save(update_fields=["woken_at"])
    async_task(TASK, job.pk, task_name=f"job-{job.pk}", broker=Broker(not_before=at))


def is_queue_idle() -> bool:
    """Whether no wake-up is due that a worker has yet to take."""
    return not OrmQ.objects.filter(key=get_broker().list_key, lock__lte=clock.now()).exists()
