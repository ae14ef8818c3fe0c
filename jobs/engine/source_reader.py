"""Reads a source page by page: the other side's, a list that people gave, or an earlier job's items.

What the pages of a source of refs only say about an item is not used: it is read after that, like a ref that
people gave, or right before it is sent.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import TypeVar

from django.db.models import QuerySet

from jobs.clocks import clock
from jobs.engine.id_set import IdSet
from jobs.followups import previous_results, purpose_of
from jobs.models import Item, Job, ListedRefs
from jobs.source_spec import ITEMS, LISTED, Stored
from jobs.work import Payload, PendingCall, PreviousResult, Snapshot, Work

#: How many chunks of known refs are read at the same time, if reading ahead is allowed.
READ_AT_ONCE = 3
#: Page sizes where the items themselves are not read: for refs of an earlier job that are only gathered, and
#: for refs that become unread items.
REFS_AT_ONCE, UNREAD_PER_PAGE = 5_000, 1_000


@dataclass(frozen=True, slots=True)
class SourcePage:
    """A page as read: refs in order, their snapshots, and what an earlier job did to them."""

    refs: Sequence[int]
    snapshots: Mapping[int, Snapshot]
    earlier: Mapping[int, PreviousResult]
    cursor: str | None
    given: Mapping[int, Payload | None] = field(default_factory=dict)
    taken_out: int = 0  # how many further refs of the page were taken out
    is_read: bool = True  # False: the items are read right before they are sent
    read_at: datetime | None = None  # when the oldest snapshot was requested
    again: Mapping[int, Snapshot] = field(default_factory=dict)  # newer readings of listed items
    #: More of the same remote page follows, and `cursor` still points to its start.
    is_piece: bool = False
    remark: str = ""  # as in `jobs.work.Page`
    broke_off: str = ""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some refs that we keep ourselves, with the request for each and the cursor after them."""

    given: Mapping[int, Payload | None]  # also of the refs that are taken out
    refs: Sequence[int]
    cursor: str

    @property
    def taken_out(self) -> int:
        return len(self.given) - len(self.refs)


@dataclass(frozen=True, slots=True)
class Piece:
    """Those refs of a page that one call reads; `page` is what becomes of them, without snapshots."""

    refs: Sequence[int]
    page: SourcePage


#: What is read in one call.
C = TypeVar("C", Chunk, Piece)


class SourceReader:
    """Reads the sources of one job."""

    def __init__(self, job: Job, work: Work) -> None:
        self.job = job
        self.work = work

    def pages(
        self,
        source: Stored,
        part: int,
        cursor: str,
        without: IdSet,
        *,
        is_late: Callable[[int | None], bool] = lambda _: False,
    ) -> Iterator[SourcePage]:
        """The pages from the cursor on ("": from the start), without the refs in `without`.

        The last page has the cursor None, if it is known to be the last. For a source of refs only, `is_late`
        says whether its items are read later. It is asked once, with their number if the first page is the
        last.
        """
        if source["kind"] == LISTED:
            return self._listed_pages(part, cursor, without)
        if source["kind"] == ITEMS:
            return self._previous_pages(source, cursor, without)
        if self.work.finds_refs_only(source):
            return self._found_pages(source, cursor, without, is_late)
        return self._remote_pages(source, cursor, without)

    def is_longer(self, source: Stored, part: int, than: int) -> bool:
        """Whether a list that people or an earlier job gave has more than `than` refs."""
        if source["kind"] == ITEMS:
            return _previous_items(source)[: than + 1].count() > than
        if source["kind"] != LISTED:
            return False
        number = 0
        for row in ListedRefs.in_order(self.job.listed.filter(part=part), at_once=2):
            number += len(row.numbers)
            if number > than:
                return True
        return False

    def unread_pages(self, source: Stored, part: int, cursor: str, without: IdSet) -> Iterator[SourcePage]:
        """The pages of known refs, without reading the items."""
        if source["kind"] == ITEMS:
            chunks = self._previous_chunks(source, cursor, without, UNREAD_PER_PAGE)
        else:
            chunks = self._listed_chunks(part, cursor, without, UNREAD_PER_PAGE)
        for chunk in chunks:
            yield SourcePage(chunk.refs, {}, {}, chunk.cursor, chunk.given, chunk.taken_out, is_read=False)

    def ref_pages(self, source: Stored, cursor: str) -> Iterator[SourcePage]:
        """The pages of a source that people did not give as a list, without reading each item."""
        if source["kind"] != ITEMS:
            yield from self._remote_pages(source, cursor, IdSet())
            return
        for given in _requests_by_ref(source, cursor, REFS_AT_ONCE):
            yield SourcePage(list(given), {}, {}, str(max(given)))

    def _listed_pages(self, part: int, cursor: str, without: IdSet) -> Iterator[SourcePage]:
        """The pages of typed, uploaded or sorted refs; the cursor is `row:offset`."""
        chunks = self._listed_chunks(part, cursor, without, self.work.batch_size)
        for chunk, seen, read_at in self._read_chunks(chunks):
            left = chunk.taken_out
            yield SourcePage(chunk.refs, seen, {}, chunk.cursor, chunk.given, left, read_at=read_at)

    def _listed_chunks(self, part: int, cursor: str, without: IdSet, size: int) -> Iterator[Chunk]:
        number, offset = (int(part) for part in (cursor or "0:0").split(":"))
        for row in ListedRefs.in_order(self.job.listed.filter(part=part, number__gte=number)):
            pairs = row.pairs
            for start in range(offset, len(pairs), size):
                end = start + size
                given = dict(pairs[start:end])
                cursor = f"{row.number}:{end}" if end < len(pairs) else f"{row.number + 1}:0"
                yield Chunk(given, [ref for ref in given if ref not in without], cursor)
            offset = 0

    def _read_chunks(self, chunks: Iterator[C]) -> Iterator[tuple[C, Mapping[int, Snapshot], datetime]]:
        """The chunks with their snapshots, and when these were requested.

        The next ones are read while one is handled.
        """
        under_way: deque[tuple[C, PendingCall[dict[int, Snapshot]], datetime]] = deque()
        try:
            for chunk in chunks:
                read_at = clock.now()
                under_way.append((chunk, self.work.read(chunk.refs), read_at))
                if len(under_way) >= READ_AT_ONCE or not self.work.may_read_ahead():
                    first, call, read_at = under_way.popleft()
                    yield first, call.result(), read_at
            while under_way:
                first, call, read_at = under_way.popleft()
                yield first, call.result(), read_at
        finally:
            for _, unwanted, _ in under_way:
                unwanted.discard()

    def _remote_pages(self, source: Stored, cursor: str, without: IdSet) -> Iterator[SourcePage]:
        pages = iter(self.work.pages(source, cursor))
        # A page may have been requested as soon as the one before it had arrived.
        requested = began = clock.now()
        while (page := next(pages, None)) is not None:
            seen = dict(page.items)  # a search may give an item twice
            refs = [ref for ref in seen if ref not in without]
            left = len(seen) - len(refs)
            yield SourcePage(
                refs,
                seen,
                {},
                page.cursor,
                taken_out=left,
                read_at=requested,
                again=page.again,
                remark=page.remark,
                broke_off=page.broke_off,
            )
            requested, began = began, clock.now()

    def _found_pages(
        self, source: Stored, cursor: str, without: IdSet, is_late: Callable[[int | None], bool]
    ) -> Iterator[SourcePage]:
        """The pages of a source of refs only: read in pieces of a call each, or left unread."""
        pages = self._remote_pages(source, cursor, without)
        first = next(pages, None)
        if first is None:
            return
        rest = chain([first], pages)
        if is_late(None if first.cursor else len(first.refs)):
            for page in rest:
                yield replace(page, snapshots={}, is_read=False, read_at=None)
            return
        for piece, seen, read_at in self._read_chunks(self._pieces(rest, cursor)):
            yield replace(piece.page, snapshots=seen, read_at=read_at)

    def _pieces(self, pages: Iterable[SourcePage], cursor: str) -> Iterator[Piece]:
        """The pages in pieces. After a restart, the items of a page that are listed are not read again."""
        size = self.work.batch_size
        for page in pages:
            listed = set(self.job.items.filter(ref__in=page.refs).values_list("ref", flat=True))
            fresh = [ref for ref in page.refs if ref not in listed]
            starts = range(0, len(fresh), size)
            *earlier, last = [fresh[start : start + size] for start in starts] or [[]]
            for refs in earlier:
                yield Piece(refs, SourcePage(refs, {}, {}, cursor, is_piece=True))
            with_last = [*last, *(ref for ref in page.refs if ref in listed)]
            yield Piece(last, replace(page, refs=with_last, snapshots={}))
            cursor = page.cursor or ""

    def _previous_pages(self, source: Stored, cursor: str, without: IdSet) -> Iterator[SourcePage]:
        purpose = purpose_of(self.job)
        chunks = self._previous_chunks(source, cursor, without, self.work.batch_size)
        for chunk, seen, read_at in self._read_chunks(chunks):
            earlier, left = previous_results(purpose, chunk.refs), chunk.taken_out
            yield SourcePage(chunk.refs, seen, earlier, chunk.cursor, chunk.given, left, read_at=read_at)

    def _previous_chunks(self, source: Stored, cursor: str, without: IdSet, size: int) -> Iterator[Chunk]:
        for requests in _requests_by_ref(source, cursor, size):
            # The earlier job's requests for single items concern its follow-ups alone.
            given = requests if self.job.follow_up else dict.fromkeys(requests)
            yield Chunk(given, [ref for ref in given if ref not in without], str(max(given)))


def _previous_items(source: Stored) -> QuerySet[Item]:
    items = Item.objects.filter(job_id=source["job"], outcome__in=source["outcomes"])
    return items.filter(reason=source["reason"]) if source.get("reason") else items


def _requests_by_ref(source: Stored, cursor: str, size: int) -> Iterator[dict[int, Payload | None]]:
    """The refs of an earlier job's items with the request for each, `size` at a time.

    The source chooses them by outcome, and may by reason. The cursor is the last ref.
    """
    earlier = _previous_items(source)
    after = int(cursor) if cursor else None
    while True:
        rest = earlier if after is None else earlier.filter(ref__gt=after)
        given = dict(rest.order_by("ref").values_list("ref", "given")[:size])
        if not given:
            return
        after = max(given)
        yield given
