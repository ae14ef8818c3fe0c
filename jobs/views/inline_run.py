"""Running a small job in the request that asked for it."""

from __future__ import annotations

import logging
import time

from django.conf import settings
from django.db import DatabaseError

from jobs.actions import Submission
from jobs.engine import execution
from jobs.installation import standstill
from jobs.installation.standstill import Cause
from jobs.models import Job
from jobs.runtime import web_waits
from jobs.runtime.database_retry import DatabaseRetry, trouble_in
from jobs.states import FollowUp, Status

logger = logging.getLogger(__name__)

#: About how long a request works on a job and on what follows it, seconds; then a worker goes on in the
#: background. A call that is under way then has the rest of the second time.
SECONDS, SECONDS_OF_CALLS = 3.0, 6.0
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
    and not raised; nor is trouble with the database, since the job exists. While as many threads as may wait
    for the other side do so, the job is left to a worker at once.
    """
    with web_waits.place() as is_free:
        if not is_free:
            _hand_over(made)
            return
        began = time.monotonic()
        _run(made.job.pk, began, made.token)
        for after in made.job.children.filter(follow_up=FollowUp.UNGUARD):
            _run(after.pk, began)


def _run(number: int, began: float, token: str = "") -> None:
    gone = time.monotonic() - began
    if gone >= SECONDS:
        return  # only a follow-up, for which a worker has been woken
    try:
        execution.run(
            number,
            token=token,
            seconds=SECONDS - gone,
            seconds_of_calls=SECONDS_OF_CALLS - gone,
            max_items=settings.SYNC_TICKET_LIMIT,
            database_retry=DatabaseRetry(DATABASE_MAX_WAIT),
        )
    except DatabaseError as problem:
        if not trouble_in(problem):
            raise
    except Exception:
        if Job.objects.get(pk=number).status != Status.ERRORED:
            raise


def _hand_over(made: Submission) -> None:
    logger.info("Job %d is left to a worker: too many requests wait already", made.job.pk)
    try:
        execution.hand_over(made.job.pk, made.token)
    except DatabaseError as problem:  # then it is taken from this process once its lease has run out
        if not trouble_in(problem):
            raise
