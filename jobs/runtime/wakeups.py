"""Wake-ups: messages in the Django-Q2 queue that say "look at job 7", and nothing more.

They commit and roll back with the rows of the jobs, because the queue is a table of the same database. Ten of
them for one job do no harm, and a lost one is made up for by the reaper.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import OrmQ
from django_q.tasks import async_task

from jobs.runtime.broker import Broker

if TYPE_CHECKING:
    from jobs.models import Job

TASK = "jobs.tasks.work_on"


def wake(job: Job, *, at: datetime | None = None) -> None:
    """Queue a wake-up for the job, not to be taken before `at`."""
    job.woken_at = at or timezone.now()
    job.save(update_fields=["woken_at"])
    async_task(TASK, job.pk, task_name=f"job-{job.pk}", broker=Broker(not_before=at))


def is_queue_idle() -> bool:
    """Whether no wake-up lies ready that no worker has taken yet."""
    return not OrmQ.objects.filter(key=get_broker().list_key, lock__lte=timezone.now()).exists()
