"""The tags of the account with their numbers of tickets: by Zendesk's own list, or by a count of all tickets.

Both are put together in pieces, each a moment's work of whoever asks: Zendesk gives a hundred tags in one
call, and a million tickets take longer to add up than a page may take.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from jobs.models import Item, Job
from jobs.states import Status
from tagmanager.account import connection
from tagmanager.models import TagList
from zendesk import Refused, ZendeskError, normalise

#: The slug of the tool whose jobs read every ticket for a count.
COUNT_TOOL = "count-tags"
#: Zendesk's own list is up to a day behind, so that a reading of it is good for a while.
GOOD_FOR = timedelta(hours=1)
#: A list that was begun so long ago may have shifted meanwhile: it is begun anew.
STALE = timedelta(hours=1)
#: One call does not wait longer than this for Zendesk, seconds.
LIST_MAX_WAIT = 1.0
#: Tickets that are added up between two looks at the clock.
AT_ONCE = 5_000
#: The most that Zendesk's own list holds, and how far it looks back (developer.zendesk.com, tags).
MOST_LISTED, DAYS_LISTED = 20_000, 60


@dataclass(frozen=True, slots=True)
class TagLists:
    """What is known of the account's tags, and what is under way."""

    own: TagList | None = None  # Zendesk's own list, complete
    full: TagList | None = None  # what the last count of all tickets found, complete
    being_read: TagList | None = None  # Zendesk's own list, in part
    being_added: TagList | None = None  # a count whose tickets are being added up
    counting: Job | None = None  # a count that has not ended, at work or stopped
    problem: ZendeskError | None = None  # why Zendesk's own list is not read on

    @property
    def is_moving(self) -> bool:
        """Whether there will soon be more to know."""
        is_counted = self.counting is not None and self.counting.is_active
        return bool((self.being_read and not self.problem) or self.being_added or is_counted)

    @property
    def by(self) -> TagList | None:
        """The list to go by."""
        return self.full or self.own


def tag_lists(*, seconds: float) -> TagLists:
    """As they stand after so many seconds of work on what is not complete, one call to Zendesk more at most.

    Raises `NotConnected`.
    """
    account = connection.address()
    end = time.monotonic() + seconds
    full, being_added = _full(account, end)
    own, being_read, problem = _complete(account, counted_at=None, job=None), _begun(account), None
    if being_read is None and (own is None or timezone.now() - own.began_at > GOOD_FOR):
        being_read = begin_own(account)
    if being_read is not None:
        try:
            if _read_on(being_read, end):
                own, being_read = being_read, None
        except ZendeskError as exc:
            problem = exc
    return TagLists(own, full, being_read, being_added, counting(account), problem)


def counting(account: str) -> Job | None:
    """The count of all tickets that is under way, or stands still until somebody moves it."""
    latest = _counts(account).first()
    return None if latest is None or latest.is_ended else latest


def begin_own(account: str) -> TagList:
    """Have Zendesk's own list read anew; the last one stays until this one is complete."""
    return TagList.objects.create(account=account)


def _counts(account: str) -> QuerySet[Job]:
    """The counts of all tickets, the latest first."""
    return Job.objects.filter(tool=COUNT_TOOL, params__account=account).order_by("-pk")


def _complete(account: str, **which: Any) -> TagList | None:
    return TagList.objects.filter(account=account, ended_at__isnull=False, **which).order_by("-pk").first()


def _begun(account: str) -> TagList | None:
    since = timezone.now() - STALE
    begun = TagList.objects.filter(account=account, counted_at=None, job=None, ended_at=None)
    return begun.filter(began_at__gt=since).order_by("-pk").first()


def _full(account: str, end: float) -> tuple[TagList | None, TagList | None]:
    """What the last count found, complete; and one that is still being added up."""
    counted = _counts(account).filter(status=Status.SUCCEEDED).first()
    if counted is None:  # none ever, or it was deleted since: what it had counted is kept
        return _complete(account, counted_at__isnull=False), None
    added, _ = TagList.objects.get_or_create(job=counted, defaults={"account": account})
    added.counted_at = counted.finished_at
    if added.ended_at or _add_on(added, end):
        return added, None
    return _complete(account, counted_at__isnull=False), added


def _read_on(own: TagList, end: float) -> bool:
    """Read pages of Zendesk's own list until it is complete (True) or the time is over."""
    place: str | None = own.place
    try:
        with connection.connect(max_wait=LIST_MAX_WAIT) as zendesk:
            for page in zendesk.tags(cursor=place or None):
                own.counts |= {normalise(tag.name): tag.count for tag in page.items}
                place = page.next_cursor
                if place is None or time.monotonic() >= end:
                    break
    except Refused:
        if not own.place:
            raise
        place, own.counts = "", {}  # the place is not known there any more
    finally:
        _save(own, place)
    return own.ended_at is not None


def _add_on(full: TagList, end: float) -> bool:
    """Add up the tickets of a count until all are (True) or the time is over."""
    counts = Counter(full.counts)
    items = Item.objects.filter(job=full.job_id).order_by("ref").values_list("ref", "before")
    place: str | None = full.place
    while place is not None:
        piece = list((items.filter(ref__gt=int(place)) if place else items)[:AT_ONCE])
        for _, before in piece:
            counts.update(before["tags"] if before else ())
        full.tickets += len(piece)
        place = str(piece[-1][0]) if len(piece) == AT_ONCE else None
        if time.monotonic() >= end:
            break
    full.counts = dict(counts)
    if not Job.objects.filter(tag_list=full).exists():  # it is being deleted, and some tickets may be gone
        return False
    _save(full, place)
    return full.ended_at is not None


def _save(one: TagList, place: str | None) -> None:
    """Two who work on the same piece write the same; the last list that is complete replaces earlier ones."""
    one.place = place or ""
    one.ended_at = timezone.now() if place is None else None
    with transaction.atomic():
        # Not the job, which may have been deleted since it was read.
        one.save(update_fields=["counts", "tickets", "place", "counted_at", "ended_at"])
        if one.ended_at:
            earlier = TagList.objects.filter(account=one.account, pk__lt=one.pk)
            earlier.filter(counted_at__isnull=one.counted_at is None).delete()
