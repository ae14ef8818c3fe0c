"""Whether all jobs of the installation stand still: somebody holds them, or the database is a copy."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.apps.registry import Apps
from django.db.models import Manager
from django.utils import timezone

from jobs.installation import identity
from jobs.models import Installation

logger = logging.getLogger(__name__)

#: How a hold or a copy ends, for people.
END_HOLD = "“Release all jobs” on the first page or manage.py release ends that."
END_COPY = (
    "If this is the one that is to go on, say so on the first page or by manage.py release --this-database, "
    "and stop the other one first. If it is not, leave it so."
)

#: Why a job is paused when a copied database goes on: the job asks how to go on itself.
WAS_COPIED = (
    "This job was unfinished when its database was copied. Its original may have gone on, ended or been "
    "undone since, and this copy cannot know. Look at the tickets and at the original first: going on "
    "changes what is left here, also where the change was made and taken back."
)


class Cause(StrEnum):
    HELD = "held"
    COPY = "copy"


@dataclass(frozen=True, slots=True)
class Standstill:
    """Why nothing is sent, since when, and who wants that so."""

    cause: Cause
    why: str  # what was given with a hold, or what tells the copy
    since: datetime | None = None  # and the next are known of a hold
    by: str = ""

    @property
    def sentence(self) -> str:
        """For people, with what to do."""
        if self.cause is Cause.COPY:
            return (
                f"This database is a copy of the one whose jobs it holds. {self.why} Nothing is sent from "
                f"it, and no job goes on. {END_COPY}"
            )
        why = f" ({self.why})" if self.why else ""
        return (
            f"All jobs are held{self.when}, by {self.by}{why}: nothing new is sent, undo included. {END_HOLD}"
        )

    @property
    def when(self) -> str:
        if self.since is None:
            return ""
        at = timezone.localtime(self.since)
        return f" since {at.day} {at:%B, %H:%M %Z}"


def current(*, lock: bool = False) -> Standstill | None:
    """Why nothing may be sent now; None while all is well. One query, and on PostgreSQL another now and then.

    Whatever starts work by itself asks here: a claim, a batch, a schedule. With `lock`, which needs a
    transaction, the answer holds until that ends: a hold waits for it. Where no identity is
    recorded yet, this records it. Raises `DatabaseError`.
    """
    identity.reopen_if_replaced()
    now = identity.read()
    rows = Installation.objects.select_for_update() if lock else Installation.objects
    row = rows.filter(pk=Installation.ONLY).first() or record(now)
    if copied := identity.difference(row.identity, now):
        return Standstill(Cause.COPY, copied)
    if row.held_at:
        return Standstill(Cause.HELD, row.held_why, row.held_at, row.held_by)
    return None


def is_copy() -> bool:
    """Whether nobody has said yet that this database, a copy, is the one to go on."""
    found = current()
    return found is not None and found.cause is Cause.COPY


def record(now: identity.Identity, rows: Manager[Installation] | None = None) -> Installation:
    """Remember the identity, unless one is remembered."""
    row, is_new = (rows or Installation.objects).get_or_create(
        pk=Installation.ONLY, defaults={"identity": now}
    )
    if is_new and now.get("engine") == "postgresql" and not now.get("system"):
        logger.warning(
            "The PostgreSQL server does not tell its system identifier: a copy of all its data that is "
            "reached by the same address cannot be told from it"
        )
    return row


def record_after_migrating(apps: Apps | None = None, **_: Any) -> None:
    """Remember which database this is as soon as possible: what is copied from then on is known as a copy.

    `apps` are the models as far as they were migrated, perhaps to a state before or after this one.
    """
    with suppress(LookupError):
        rows = apps.get_model("jobs", "Installation").objects if apps else None
        record(identity.read(), rows)
