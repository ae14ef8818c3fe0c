"""The account's tags with their numbers of tickets, from Zendesk's own list or from a count of all tickets.

Each request does a short piece of the work: Zendesk returns a hundred tags per call, and adding up a million
tickets takes longer than a page may take.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from jobs.clocks import clock
from jobs.models import Item, Job
from jobs.states import Status
from tagmanager.account import connection, patience
from tagmanager.account.asking import Question, ask
from tagmanager.account.suggestions import search_count
from tagmanager.models import TagList
from zendesk import Refused, Zendesk, ZendeskError, normalise

#: The slug of the tool whose jobs read every ticket for a count.
COUNT_TOOL = "count-tags"
#: Zendesk's own list is up to a day behind, so there is no need to read it more often.
LIST_MAX_AGE = timedelta(hours=1)
#: A partly read list older than this starts again, because its pages may have shifted.
RESTART_AFTER = timedelta(hours=1)
#: The most calls for a piece of that list: a token, and as many pages as arrive in a second or two.
PIECE_CALLS = 10
#: What Zendesk's export of all tickets leaves out: the changes of the last minute (developer.zendesk.com,
#: incremental exports).
EXPORT_OMITS = timedelta(minutes=1)
#: After every time stamp.
LATER = "9999"
#: The status of deleted tickets in that export.
DELETED = "deleted"
#: Tickets to add up between two checks of the time.
CHUNK_SIZE = 5_000
#: Length of Zendesk's own list, and the days it covers (developer.zendesk.com, tags).
MAX_LISTED, DAYS_LISTED = 20_000, 60


@dataclass(frozen=True, slots=True)
class TagLists:
    """What is known about the account's tags, and the work in progress."""

    own: TagList | None = None  # Zendesk's own list, complete
    full: TagList | None = None  # the result of the last count of all tickets, complete
    being_read: TagList | None = None  # Zendesk's own list, incomplete
    being_added: TagList | None = None  # a finished count whose tickets are being added up
    counting: Job | None = None  # a count that has not ended, running or stopped
    problem: ZendeskError | None = None  # why reading Zendesk's own list stopped
    is_withheld: bool = False  # it is not read on, because this person may not ask Zendesk

    @property
    def is_moving(self) -> bool:
        """Whether work is in progress."""
        is_counted = self.counting is not None and self.counting.is_active
        is_read = self.being_read and not (self.problem or self.is_withheld)
        return bool(is_read or self.being_added or is_counted)

    @property
    def by(self) -> TagList | None:
        """The best complete list."""
        return self.full or self.own


def tag_lists(*, seconds: float) -> TagLists:
    """Work on incomplete lists for about `seconds`, then return all lists. Raises `NotConnected`.

    It may take one call to Zendesk longer. Where nothing may be asked, it begins to read no list.
    """
    account = connection.address()
    end = time.monotonic() + seconds
    full, being_added = _last_count(account, end)
    own, being_read = _latest_complete(account, counted_at=None, job=None), _partial_list(account)
    problem, may_ask = None, bool(patience.until())
    if may_ask and being_read is None and (own is None or clock.now() - own.began_at > LIST_MAX_AGE):
        being_read = start_reading(account)
    if being_read is not None and may_ask:
        try:
            if _continue_reading(being_read, seconds):
                own, being_read = being_read, None
        except ZendeskError as exc:
            problem = exc
    return TagLists(own, full, being_read, being_added, counting(account), problem, not may_ask)


def changed_since(counted: TagList) -> int | None:
    """How many tickets changed after the moment that a count reached, by Zendesk's search; None: not known.

    The search lags some minutes behind. Cached for a minute.
    """
    if counted.reached_at is None:
        return None
    moment = counted.reached_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return search_count(f"updated>{moment}").answer


def counting(account: str) -> Job | None:
    """The count of all tickets that has not ended, whether it runs or is stopped."""
    latest = _counts(account).first()
    return None if latest is None or latest.is_ended else latest


def start_reading(account: str) -> TagList:
    """Start reading Zendesk's own list again; the previous one stays until the new one is complete."""
    return TagList.objects.create(account=account, began_at=clock.now())


def _counts(account: str) -> QuerySet[Job]:
    """The jobs that count all tickets, newest first."""
    return Job.objects.filter(tool=COUNT_TOOL, params__account=account).order_by("-pk")


def _latest_complete(account: str, **which: Any) -> TagList | None:
    return TagList.objects.filter(account=account, ended_at__isnull=False, **which).order_by("-pk").first()


def _partial_list(account: str) -> TagList | None:
    since = clock.now() - RESTART_AFTER
    begun = TagList.objects.filter(account=account, counted_at=None, job=None, ended_at=None)
    return begun.filter(began_at__gt=since).order_by("-pk").first()


def _last_count(account: str, end: float) -> tuple[TagList | None, TagList | None]:
    """The result of the last complete count, and the one that is being added up."""
    counted = _counts(account).filter(status=Status.SUCCEEDED).first()
    if counted is None:  # there was none, or it was deleted; then its result remains
        return _latest_complete(account, counted_at__isnull=False), None
    added, _ = TagList.objects.get_or_create(job=counted, defaults={"account": account})
    added.counted_at = counted.finished_at
    added.counted_from = counted.started_at
    # The last page's place is as old as the question for that page (`jobs.engine.selection`).
    added.reached_at = counted.cursor_at - EXPORT_OMITS if counted.cursor_at else None
    if added.ended_at or _continue_adding_up(added, end):
        return added, None
    return _latest_complete(account, counted_at__isnull=False), added


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of Zendesk's own list."""

    counts: Mapping[str, int]  # tickets by tag
    next_place: str | None  # None: the list is complete
    problem: ZendeskError | None = None  # why it is no longer


def _continue_reading(own: TagList, seconds: float) -> bool:
    """Read Zendesk's own list until it is complete or time runs out. Returns whether it is complete.

    Raises `ZendeskError`; what was read before that is saved.
    """
    known = ask(
        Question(
            f"tag-list:{own.pk}:{own.place}",
            # Less than the request may wait, so that the last page of the piece arrives in time.
            lambda zendesk: _read_piece(zendesk, own.place, min(seconds, patience.seconds_left() / 2)),
            most_calls=PIECE_CALLS,
        )
    )
    if known.is_pending or known.is_withheld:
        return False  # somebody is at it, or the next minute has calls again
    try:
        piece = known.current()
    except Refused:
        if not own.place:
            raise
        piece = Piece({}, "")  # the cursor has expired
        own.counts = {}
    own.counts |= piece.counts
    _save(own, piece.next_place)
    if piece.problem:
        raise piece.problem
    return own.ended_at is not None


def _read_piece(zendesk: Zendesk, place: str, seconds: float) -> Piece:
    end = time.monotonic() + seconds
    counts: dict[str, int] = {}
    cursor: str | None = place
    try:
        for page in zendesk.tags(cursor=place or None):
            counts |= {normalise(tag.name): tag.count for tag in page.items}
            cursor = page.next_cursor
            if cursor is None or time.monotonic() >= end:
                break
    except ZendeskError as problem:
        if not counts:
            raise
        return Piece(counts, cursor, problem)
    return Piece(counts, cursor)


def _continue_adding_up(full: TagList, end: float) -> bool:
    """Add up the tickets of a count until all are done or time runs out. Returns whether it is complete."""
    counts = Counter(full.counts)
    # As Zendesk writes it, so that texts compare.
    began = full.counted_from.strftime("%Y-%m-%dT%H:%M:%SZ") if full.counted_from else LATER
    items = Item.objects.filter(job=full.job_id).order_by("ref").values_list("ref", "before")
    last_ref: str | None = full.place
    while last_ref is not None:
        chunk = list((items.filter(ref__gt=int(last_ref)) if last_ref else items)[:CHUNK_SIZE])
        held = [before for _, before in chunk if before and before.get("status") != DELETED]
        for before in held:
            counts.update(before["tags"])
        full.tickets += len(held)
        full.changed_meanwhile += sum(before.get("updated_at", "") >= began for before in held)
        last_ref = str(chunk[-1][0]) if len(chunk) == CHUNK_SIZE else None
        if time.monotonic() >= end:
            break
    full.counts = dict(counts)
    if not Job.objects.filter(tag_list=full).exists():  # being deleted: some of its tickets may be gone
        return False
    _save(full, last_ref)
    return full.ended_at is not None


def _save(tag_list: TagList, position: str | None) -> None:
    """Save the progress; `position` None completes the list, which then replaces earlier ones.

    Two processes that do the same piece of work write the same values.
    """
    tag_list.place = position or ""
    tag_list.ended_at = clock.now() if position is None else None
    with transaction.atomic():
        # Not the job, which may have been deleted since it was read.
        tag_list.save(
            update_fields=[
                *("counts", "tickets", "place", "counted_at", "ended_at"),
                *("counted_from", "reached_at", "changed_meanwhile"),
            ]
        )
        if tag_list.ended_at:
            earlier = TagList.objects.filter(account=tag_list.account, pk__lt=tag_list.pk)
            earlier.filter(counted_at__isnull=tag_list.counted_at is None).delete()
