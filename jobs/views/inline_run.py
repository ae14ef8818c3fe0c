"""Running a small job in the request that asked for it."""

from __future__ import annotations

from django.conf import settings
from django.db import DatabaseError

from jobs.actions import Submission
from jobs.engine import execution
from jobs.installation import standstill
from jobs.installation.standstill import Cause
from jobs.models import Job
from jobs.runtime.database_retry import DatabaseRetry, trouble_in
from jobs.states import FollowUp, Status

#: About how long a request works on a job, seconds; then a worker goes on in the background.
SECONDS = 3.0
#: It waits no longer than this for a database in trouble.
DATABASE_MAX_WAIT = 6.0


def may_run_here() -> bool:
    """Whether a job may run in the request: while all jobs are held, it is queued instead.

    In a copied database `actions.submit` refuses either.
    """
    stop = standstill.current()
    return stop is None or stop.cause is not Cause.HELD


def run_inline(made: Submission) -> None:
    """Work on a job that was made for this process, with the engine that workers use.

    Its page shows whether it is done. A bug that the engine has recorded on the job's row is shown there too
    and not raised; nor is trouble with the database, since the job exists.
    """
    _run(made.job.pk, made.token)
    for after in made.job.children.filter(follow_up=FollowUp.UNGUARD):
        _run(after.pk)


def _run(number: int, token: str = "") -> None:
    try:
        execution.run(
            number,
            token=token,
            seconds=SECONDS,
            max_items=settings.SYNC_TICKET_LIMIT,
            database_retry=DatabaseRetry(DATABASE_MAX_WAIT),
        )
    except DatabaseError as problem:
        if not trouble_in(problem):
            raise
    except Exception:
        if Job.objects.get(pk=number).status != Status.ERRORED:
            raise
