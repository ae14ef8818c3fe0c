"""The lease of a job: a random token on its row, kept alive by beats.

Only the holder of the token may send and write. Each commit of the engine checks in the same transaction that
the token still stands, so a worker that was frozen and has been replaced writes nothing.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from jobs import transitions
from jobs.actors import this_worker
from jobs.clocks import clock
from jobs.common import process_id
from jobs.installation import identity, standstill
from jobs.installation.standstill import Cause, Standstill
from jobs.models import Job
from jobs.runtime import wakeups
from jobs.runtime.database_retry import DatabaseRetry
from jobs.runtime.failpoints import Failpoint, failpoint
from jobs.states import Status, WaitReason

#: A worker whose last beat is older has died. With the two seconds between checks and the time of a claim,
#: another host has its job within a minute.
STALE_AFTER = timedelta(seconds=55)
#: How often the holder beats while it works, seconds.
BEAT_INTERVAL = 1.0
#: How old the last beat may be when an outside call starts, seconds: a call of 30 s must end before
#: STALE_AFTER.
FENCE_MAX_AGE = 20.0

#: The lease fields of a job that nobody holds.
NOT_HELD: dict[str, Any] = {"lease_token": "", "lease_owner": "", "beat_at": None}


class LeaseLost(Exception):
    """Another process has taken the job over, or it was taken away: stop, and write nothing."""


class Lease:
    """The right to work on one job, while it lasts.

    `status` is the job's status as of the last beat or commit: the holder notices clicks by it. So it does
    a hold of all jobs by `hold`.
    """

    def __init__(self, job: Job, token: str) -> None:
        self.job = job
        self.token = token
        self.status = Status(job.status)
        self.database_retry = DatabaseRetry(0.0)  # the caller of the engine sets a longer one
        self._beat_at, self._beat_moment = clock.now(), time.monotonic()
        self._status_at = self._beat_moment  # when `status` was read
        self.hold: Standstill | None = None
        self._database = identity.read()

    @contextmanager
    def commit(
        self, *, only_in: Status | None = None, then: Mapping[str, Any] | None = None, **changes: Any
    ) -> Iterator[None]:
        """A short transaction in the holder's name; raises `LeaseLost` at its start when the token is gone.

        `changes` are written to the job's row with the beat. So is `then`, if the job's status is `only_in`.
        The row stays locked until the end: a click comes either before, and `status` shows it, or after.
        """
        with transaction.atomic():
            self._renew(changes, only_in, then)
            yield

    def beat(self, *, max_age: float = 0.0) -> Status:
        """Renew the lease, if the last beat is old enough; returns the job's status.

        The status may be up to `max_age` seconds old.
        """
        if self._beat_age() >= BEAT_INTERVAL:
            with transaction.atomic():
                self._renew({})
            self.check_installation()
        elif time.monotonic() - self._status_at >= max_age:
            self.status = self._read_status()
        return self.status

    def check_installation(self, *, lock: bool = False) -> None:
        """Notice a hold; raises `LeaseLost` if another database has taken the place of this one.

        With `lock` no hold begins before the transaction ends.
        """
        self.hold = standstill.current(lock=lock)
        if self.hold and self.hold.cause is Cause.COPY:
            raise LeaseLost(f"the database of job {self.job.pk} is a copy. {self.hold.why}")

    def fence(self) -> None:
        """Check lease and database right before an outside call: a process that was frozen notices it here.

        Another database in the place of the one that the job was claimed in is noticed, too.

        No lease can close the gap that remains between this check and the wire. It does no harm, because
        changes of tags may be made twice.
        """
        if self._beat_age() >= FENCE_MAX_AGE:
            with transaction.atomic():
                self._renew({})
        if identity.difference(self._database, identity.read()):
            raise LeaseLost(f"the database of job {self.job.pk} was replaced")
        failpoint(Failpoint.FENCE_PASSED)

    def commit_with_retry(self, write: Callable[[], object], **changes: Any) -> bool:
        """Commit, and wait for a database in trouble; returns whether it was in trouble.

        For what only this process knows, such as the receipt of a call. `write` may run twice.
        """
        tries = 0

        def commit() -> None:
            nonlocal tries
            tries += 1
            with self.commit(**changes):
                write()

        self.database_retry.retry(commit)
        return tries > 1

    def recover(self) -> None:
        """Renew the lease after an outage of the database, or raise `LeaseLost`; load the job again."""
        with self.commit():
            self.job.refresh_from_db()

    def release(self, *, at: datetime | None = None, waiting_for: str = "") -> None:
        """Put the job down as it is and wake the next worker, now or at `at`, in one transaction."""
        failpoint(Failpoint.RELEASING)
        with self.commit(**NOT_HELD, resumes_at=at, waiting_for=waiting_for):
            wakeups.wake(self.job, at=at)

    def park(self, *, reason: WaitReason | None, seconds: float, why: str) -> None:
        """Put the job down for `seconds`; one that is being paused or cancelled keeps that status."""
        resumes_at = clock.now() + timedelta(seconds=seconds)
        with transaction.atomic():
            parked = transitions.move(
                self.job,
                Status.WAITING,
                by=this_worker(),
                why=why,
                held_with=self.token,
                waiting_for=reason or "",
                resumes_at=resumes_at,
                **NOT_HELD,
            )
            if parked:
                wakeups.wake(self.job, at=resumes_at)
        if not parked:
            self.release(at=resumes_at, waiting_for=reason or "")

    def _renew(
        self,
        changes: dict[str, Any],
        only_in: Status | None = None,
        then: Mapping[str, Any] | None = None,
    ) -> None:
        held = Job.objects.filter(pk=self.job.pk, lease_token=self.token)
        now, moment = clock.now(), time.monotonic()
        fields = {"beat_at": now} | changes
        expected = only_in or self.status
        # The status is nearly always the expected one: then one UPDATE renews the lease and confirms it.
        if held.filter(status=expected).update(**fields, **(then or {})):
            self.status = expected
        elif held.update(**fields):
            self.status = self._read_status()
        else:
            raise LeaseLost(f"job {self.job.pk} is no longer held by this worker")
        self._beat_at, self._beat_moment = now, moment
        self._status_at = moment

    def _beat_age(self) -> float:
        """Seconds since the last beat: what others may take it for, or more.

        The monotonic clock stands still while the machine sleeps, and the other may be set back.
        """
        return max(time.monotonic() - self._beat_moment, (clock.now() - self._beat_at).total_seconds())

    def _read_status(self) -> Status:
        self._status_at = time.monotonic()
        return Status(Job.objects.values_list("status", flat=True).get(pk=self.job.pk))


def new_token() -> str:
    return secrets.token_hex(16)


def held_by_this_process(token: str) -> dict[str, Any]:
    """The lease fields of a job that this process holds."""
    return {"lease_token": token, "lease_owner": process_id.this_process(), "beat_at": clock.now()}
