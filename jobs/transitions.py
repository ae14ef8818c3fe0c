"""The only place where a job's status changes."""

from __future__ import annotations

import logging
from functools import partial
from typing import Any

from django.db import transaction
from django.dispatch import Signal

from jobs.actors import Actor
from jobs.clocks import clock
from jobs.common import log_context
from jobs.models import Job, Transition
from jobs.states import ACTIVE, ENDED, MAY_FOLLOW, Status

logger = logging.getLogger(__name__)

#: Sent with `job` and `by` inside the transaction that ends a job, once for each job: what a receiver writes
#: is stored if and only if the job ended.
ended = Signal()


def move(
    job: Job,
    to: Status,
    *,
    by: Actor,
    why: str = "",
    only_from: frozenset[Status] | None = None,
    held_with: str | None = None,
    was_just_read: bool = False,
    **fields: Any,
) -> bool:
    """Change the status if the stored one still allows it; False means that someone else was first.

    The web and a worker write this row at the same time, so check and change are one UPDATE, tried from each
    state that may come before. With `held_with` the job must also still be held with that token. Further
    `fields` are written with the status. The row given is refreshed from the database, unless it
    `was_just_read` and its status is found as it was read: then it gets what is written, without a query.
    """
    changes = _implied(to) | fields
    allowed = MAY_FOLLOW[to] if only_from is None else MAY_FOLLOW[to] & only_from
    with transaction.atomic(savepoint=False):
        holders = Job.objects.filter(pk=job.pk)
        if held_with is not None:
            holders = holders.filter(lease_token=held_with)
        won = None
        # The state just read is nearly always still the one stored: try it first.
        for origin in sorted(allowed, key=lambda state: state != job.status):
            if holders.filter(status=origin).update(status=to, **changes):
                won = origin
                break
        if won is not None:
            record(job, won, to, by=by, why=why)
            if was_just_read and won == job.status:
                job.status = to
                for name, value in changes.items():
                    setattr(job, name, value)
            else:
                job.refresh_from_db()
            if to in ENDED:
                ended.send(Job, job=job, by=by)
            return True
    job.refresh_from_db()
    return False


def record(job: Job, origin: Status | str, to: Status | str, *, by: Actor, why: str = "") -> None:
    """Add a line to the timeline; with `origin` equal to `to` something happened within a status."""
    Transition.objects.create(
        job=job,
        from_status=origin,
        to_status=to,
        actor=by.name,
        user_id=by.user_id,
        by_person=by.is_person,
        why=why,
    )
    transaction.on_commit(partial(_log, job.pk, origin, to, by))


def _log(number: int, origin: Status | str, to: Status | str, by: Actor) -> None:
    """The reason is left out because it may quote a ticket; the job's page shows it."""
    with log_context.about(job=number):
        logger.info("%s → %s, by %s", origin or "new", to, by.name)


def _implied(to: Status) -> dict[str, Any]:
    """The fields that follow from a status."""
    changes: dict[str, Any] = {}
    if to != Status.WAITING:
        changes |= {"waiting_for": "", "resumes_at": None}
    if to not in ACTIVE:
        changes |= {"lease_token": "", "lease_owner": "", "beat_at": None}
    if to in ENDED:
        changes["finished_at"] = clock.now()
    if to != Status.ERRORED:
        changes["error"] = ""
    return changes
