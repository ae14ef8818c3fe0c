"""Reads a source page by page: the other side's, a list that people gave, or an earlier job's items."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import QuerySet

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


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some refs that we keep ourselves, with the request for each and the cursor after them."""

    given: Mapping[int, Payload | None]  # also of the refs that are taken out
    refs: Sequence[int]
    cursor: str

    @property
    def taken_out(self) -> int:
        return len(self.given) - len(self.refs)


class SourceReader:
    """Reads the sources of one job."""

    def __init__(self, job: Job, work: Work) -> None:
        self.job = job
        self.work = work

    def pages(self, source: Stored, part: int, cursor: str, without: IdSet) -> Iterator[SourcePage]:
        """The pages from the cursor on ("": from the start), without the refs in `without`.

        The last page has the cursor None, if it is known to be the last.
        """
        if source["kind"] == LISTED:
            return self._listed_pages(part, cursor, without)
        if source["kind"] == ITEMS:
            return self._previous_pages(source, cursor, without)
        return self._remote_pages(source, cursor, without)

    def is_longer(self, source: Stored, part: int, than: int) -> bool:
        """Whether a list that people or an earlier job gave has more than `than` refs."""
        if source["kind"] == ITEMS:
            return _previous_items(source)[: than + 1].count() > than
        if source["kind"] != LISTED:
            return False
        number = 0
        for row in ListedRefs.in_order(self.job.listed.filter(part=part), at_once=1):
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
        for chunk, seen in self._read_chunks(
            self._listed_chunks(part, cursor, without, self.work.batch_size)
        ):
            yield SourcePage(chunk.refs, seen, {}, chunk.cursor, chunk.given, chunk.taken_out)

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

    def _read_chunks(self, chunks: Iterator[Chunk]) -> Iterator[tuple[Chunk, Mapping[int, Snapshot]]]:
        """The chunks with their snapshots; the next ones are read while one is handled."""
        under_way: deque[tuple[Chunk, PendingCall[dict[int, Snapshot]]]] = deque()
        try:
            for chunk in chunks:
                under_way.append((chunk, self.work.read(chunk.refs)))
                if len(under_way) >= READ_AT_ONCE or not self.work.may_read_ahead():
                    first, call = under_way.popleft()
                    yield first, call.result()
            while under_way:
                first, call = under_way.popleft()
                yield first, call.result()
        finally:
            for _, unwanted in under_way:
                unwanted.discard()

    def _remote_pages(self, source: Stored, cursor: str, without: IdSet) -> Iterator[SourcePage]:
        for page in self.work.pages(source, cursor):
            refs = [ref for ref, _ in page.items if ref not in without]
            yield SourcePage(refs, dict(page.items), {}, page.cursor, taken_out=len(page.items) - len(refs))

    def _previous_pages(self, source: Stored, cursor: str, without: IdSet) -> Iterator[SourcePage]:
        purpose = purpose_of(self.job)
        for chunk, seen in self._read_chunks(
            self._previous_chunks(source, cursor, without, self.work.batch_size)
        ):
            earlier = previous_results(purpose, chunk.refs)
            yield SourcePage(chunk.refs, seen, earlier, chunk.cursor, chunk.given, chunk.taken_out)

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
