"""Ownership of a job: a random token on its row, kept alive by a beat.

Who holds the token may send and write; everybody else may not. Each commit of the engine asks, in the same
transaction, whether the token still stands, so a worker that was frozen and has been replaced writes nothing.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from jobs import process_id, transitions
from jobs.actors import this_worker
from jobs.models import Job
from jobs.runtime import wakeups
from jobs.runtime.database_retry import DatabaseRetry
from jobs.runtime.failpoints import Failpoint, failpoint
from jobs.states import Status, WaitReason

#: A beat older than this means that the worker is gone: with the watch's two seconds and a claim, another
#: host has its job within a minute.
STALE_AFTER = timedelta(seconds=55)
#: The holder beats at least this often while it works, seconds.
BEAT_INTERVAL = 1.0
#: No outside call starts on a beat older than this, seconds: a call of 30 s must end before STALE_AFTER.
FENCE_MAX_AGE = 20.0

#: The fields of a job's row that nobody holds.
NOT_HELD: dict[str, Any] = {"lease_token": "", "lease_owner": "", "beat_at": None}


class LeaseLost(Exception):
    """Somebody else has taken the job over, or it was taken away: stop, and write nothing."""


class Lease:
    """The right to work on one job, as long as it lasts.

    `status` is the job's status as of the last beat or commit: how the holder learns of a click.
    """

    def __init__(self, job: Job, token: str) -> None:
        self.job = job
        self.token = token
        self.status = Status(job.status)
        self.database_retry = DatabaseRetry(0.0)  # with our own database
        self._beat_at = time.monotonic()

    @contextmanager
    def commit(
        self, *, only_in: Status | None = None, then: Mapping[str, Any] | None = None, **changes: Any
    ) -> Iterator[None]:
        """A short transaction in the holder's name; raises `Lost` at its start when the token is gone.

        `changes` are written to the job's row with the beat, and what is in `then` if the job's status is
        `only_in`. The row stays locked until the end, so a click comes either before (and `status` shows it)
        or after.
        """
        with transaction.atomic():
            self._renew(changes, only_in, then)
            yield

    def beat(self) -> Status:
        """Tell that the holder lives, if the last sign is old enough; returns the job's status."""
        if time.monotonic() - self._beat_at >= BEAT_INTERVAL:
            with transaction.atomic():
                self._renew({})
        else:
            self.status = self._read_status()
        return self.status

    def fence(self) -> None:
        """To be passed right before each outside call: who slept too long learns here that it is late.

        A gap between this check and the wire remains, which no lease can close; that a change of tags may be
        made twice without harm covers it.
        """
        if time.monotonic() - self._beat_at >= FENCE_MAX_AGE:
            with transaction.atomic():
                self._renew({})
        failpoint(Failpoint.FENCE_PASSED)

    def commit_with_retry(self, write: Callable[[], object], **changes: Any) -> None:
        """Commit, also when the database is in trouble just now: for what only this process knows, such as
        the receipt of a call that was just made. It does no harm when it is written twice.
        """

        def commit() -> None:
            with self.commit(**changes):
                write()

        self.database_retry.retry(commit)

    def recover(self) -> None:
        """After a trouble of the database: still ours, or `Lost`; what is in memory is read anew."""
        with self.commit():
            self.job.refresh_from_db()

    def release(self, *, at: datetime | None = None, waiting_for: str = "") -> None:
        """Put the job down as it is and wake the next worker, now or at a time, in one transaction."""
        failpoint(Failpoint.RELEASING)
        with self.commit(**NOT_HELD, resumes_at=at, waiting_for=waiting_for):
            wakeups.wake(self.job, at=at)

    def park(self, *, reason: WaitReason, seconds: float, why: str) -> None:
        """Put the job down until a time to come; one that is being paused or cancelled keeps that status."""
        resumes_at = timezone.now() + timedelta(seconds=seconds)
        with transaction.atomic():
            parked = transitions.move(
                self.job,
                Status.WAITING,
                by=this_worker(),
                why=why,
                held_with=self.token,
                waiting_for=reason,
                resumes_at=resumes_at,
                **NOT_HELD,
            )
            if parked:
                wakeups.wake(self.job, at=resumes_at)
        if not parked:
            self.release(at=resumes_at, waiting_for=reason)

    def _renew(
        self,
        changes: dict[str, Any],
        only_in: Status | None = None,
        then: Mapping[str, Any] | None = None,
    ) -> None:
        held = Job.objects.filter(pk=self.job.pk, lease_token=self.token)
        fields = {"beat_at": timezone.now()} | changes
        expected = only_in or self.status
        # The status is nearly always the one expected: then one UPDATE renews the lease and tells it, too.
        if held.filter(status=expected).update(**fields, **(then or {})):
            self.status = expected
        elif held.update(**fields):
            self.status = self._read_status()
        else:
            raise LeaseLost(f"job {self.job.pk} is not held by this worker any more")
        self._beat_at = time.monotonic()

    def _read_status(self) -> Status:
        return Status(Job.objects.values_list("status", flat=True).get(pk=self.job.pk))


def new_token() -> str:
    return secrets.token_hex(16)


def held_by_this_process(token: str) -> dict[str, Any]:
    """The fields of a job's row that say who holds it."""
    return {"lease_token": token, "lease_owner": process_id.this_process(), "beat_at": timezone.now()}
