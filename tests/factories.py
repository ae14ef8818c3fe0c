"""Rows for tests, in one call each; a test states only the fields that matter to it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import Permission, User
from django.utils import timezone

from jobs.models import Batch, Item, Job, Transition
from jobs.states import ENDED, FINAL, BatchState, Outcome, Status, WaitReason

PASSWORD = "correct horse battery"


def user(name: str = "ana", *permissions: str, **fields: Any) -> User:
    """A user who can sign in with `PASSWORD`, with these permissions of `jobs`."""
    person = User.objects.create_user(name, password=PASSWORD, **fields)
    person.user_permissions.set(
        Permission.objects.filter(content_type__app_label="jobs", codename__in=permissions)
    )
    return person


def runner(name: str = "ana", **fields: Any) -> User:
    """A user who may see and run jobs."""
    return user(name, "view_job", "run_job", **fields)


def job(status: Status | str = Status.QUEUED, **fields: Any) -> Job:
    """A job with this status, and the fields that the status requires.

    Its list is complete from `running` on, or if a total is given. The total is at least the sum of the given
    counts (such as `changed=3`). Its timeline has one entry.
    """
    status = Status(status)
    fields.setdefault("tool", "bulk-tag")
    fields.setdefault("title", "Add vip to the tickets given by number")
    fields.setdefault("params", {"add": ["vip"], "remove": [], "set": [], "include_closed": False})
    fields.setdefault("source", {"kind": "ids", "name": ""})
    now = timezone.now()
    if "total" in fields or status not in (Status.QUEUED, Status.SELECTING):
        fields.setdefault("frozen_at", now)
    if fields.get("frozen_at"):
        least = sum(fields.get(outcome.value, 0) for outcome in FINAL)
        fields.setdefault("total", fields.get("found", least))
        fields.setdefault("found", fields["total"])
    if status != Status.QUEUED:
        fields.setdefault("started_at", now)
    if status in ENDED:
        fields.setdefault("finished_at", now)
    if status == Status.WAITING:
        fields.setdefault("waiting_for", WaitReason.RATE_LIMIT)
        fields.setdefault("resumes_at", now)
    made = Job.objects.create(status=status, **fields)
    Transition.objects.create(job=made, to_status=status, actor="worker test:1")
    return made


def item(of: Job, ref: int, outcome: Outcome | str = Outcome.CHANGED, **fields: Any) -> Item:
    """A ticket of the job; the job's counts stay the same."""
    fields.setdefault("before", {"tags": ["old"], "status": "open", "updated_at": "2026-11-01T00:00:00Z"})
    if outcome in (Outcome.CHANGED, Outcome.PLANNED, Outcome.PENDING, Outcome.FAILED):
        fields.setdefault("change", {"add": ["vip"]})
    return Item.objects.create(job=of, ref=ref, outcome=outcome, **fields)


def batch(of: Job, state: BatchState | str = BatchState.SETTLED, **fields: Any) -> Batch:
    """A batch of the job in this state."""
    state = BatchState(state)
    now = timezone.now()
    if state in (BatchState.SENT, BatchState.SETTLED):
        fields.setdefault("receipt", "8b726e606741012ffc2d782bcb7848fe")
    if state != BatchState.PENDING:
        fields.setdefault("sent_at", now)
    if state == BatchState.SETTLED:
        fields.setdefault("settled_at", now)
    return Batch.objects.create(job=of, key="key", state=state, **fields)
