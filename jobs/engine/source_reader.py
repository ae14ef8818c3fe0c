"""The pages of a source, whoever keeps it: the other side, a person's list, or an earlier job."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import QuerySet

from jobs.engine.id_set import IdSet
from jobs.followups import previous_results, purpose_of
from jobs.models import Item, Job
from jobs.source_spec import ITEMS, LISTED, Stored
from jobs.work import Payload, PendingCall, PreviousResult, Snapshot, Work

#: Readings of known refs that are made side by side, where the reading may go ahead.
READ_AT_ONCE = 3
#: Refs of an earlier job's items that are taken at a time where nobody looks at the items themselves, and
#: refs of which items are made in one go where those are not looked at.
REFS_AT_ONCE, UNREAD_PER_PAGE = 5_000, 1_000


@dataclass(frozen=True, slots=True)
class SourcePage:
    """A page after reading: the refs in order, what each looks like, and what was done to each before."""

    refs: Sequence[int]
    snapshots: Mapping[int, Snapshot]
    earlier: Mapping[int, PreviousResult]
    cursor: str | None
    given: Mapping[int, Payload | None] = field(default_factory=dict)
    taken_out: int = 0  # further refs of the page, which were not looked at because they are taken out
    is_read: bool = True  # False: nobody has looked at any of them


@dataclass(frozen=True, slots=True)
class Chunk:
    """Refs of our own that are to be looked at, as they were asked for, and the place after them."""

    given: Mapping[int, Payload | None]
    refs: Sequence[int]
    cursor: str


class SourceReader:
    """Reads the sources of one job."""

    def __init__(self, job: Job, work: Work) -> None:
        self.job = job
        self.work = work

    def pages(self, source: Stored, part: int, cursor: str, without: IdSet) -> Iterator[SourcePage]:
        """From the cursor on ("": from the start), but for refs that are taken out.

        A cursor of None stands after the last page, where that is known.
        """
        if source["kind"] == LISTED:
            return self._listed_pages(part, cursor, without)
        if source["kind"] == ITEMS:
            return self._previous_pages(source, cursor, without)
        return self._remote_pages(source, cursor, without)

    def is_longer(self, source: Stored, part: int, than: int) -> bool:
        """Whether it is a list that people or an earlier job gave, and holds more than so many."""
        if source["kind"] == ITEMS:
            return _previous_items(source)[: than + 1].count() > than
        if source["kind"] != LISTED:
            return False
        number = 0
        for row in self.job.listed.filter(part=part).order_by("number").iterator(chunk_size=1):
            number += len(row.numbers)
            if number > than:
                return True
        return False

    def unread_pages(self, source: Stored, part: int, cursor: str, without: IdSet) -> Iterator[SourcePage]:
        """The refs that are known, as `pages` gives them, but nobody looks at them."""
        if source["kind"] == ITEMS:
            chunks = self._previous_chunks(source, cursor, without, UNREAD_PER_PAGE)
        else:
            chunks = self._listed_chunks(part, cursor, without, UNREAD_PER_PAGE)
        for asked in chunks:
            left = len(asked.given) - len(asked.refs)
            yield SourcePage(asked.refs, {}, {}, asked.cursor, asked.given, left, is_read=False)

    def ref_pages(self, source: Stored, cursor: str) -> Iterator[SourcePage]:
        """The refs alone, of a source that is not a list that people gave, without looking at each."""
        if source["kind"] != ITEMS:
            yield from self._remote_pages(source, cursor, IdSet())
            return
        for given in _requests_by_ref(source, cursor, REFS_AT_ONCE):
            yield SourcePage(list(given), {}, {}, str(max(given)))

    def _listed_pages(self, part: int, cursor: str, without: IdSet) -> Iterator[SourcePage]:
        """Refs that were typed, came from a file or were sorted; the cursor is `row:offset`."""
        for asked, seen in self._read_chunks(
            self._listed_chunks(part, cursor, without, self.work.batch_size)
        ):
            yield SourcePage(
                asked.refs, seen, {}, asked.cursor, asked.given, len(asked.given) - len(asked.refs)
            )

    def _listed_chunks(self, part: int, cursor: str, without: IdSet, size: int) -> Iterator[Chunk]:
        number, offset = (int(part) for part in (cursor or "0:0").split(":"))
        rows = self.job.listed.filter(part=part, number__gte=number).order_by("number")
        for row in rows.iterator(chunk_size=10):
            pairs = row.pairs
            for start in range(offset, len(pairs), size):
                end = start + size
                given = dict(pairs[start:end])
                place = f"{row.number}:{end}" if end < len(pairs) else f"{row.number + 1}:0"
                yield Chunk(given, [ref for ref in given if ref not in without], place)
            offset = 0

    def _read_chunks(self, chunks: Iterator[Chunk]) -> Iterator[tuple[Chunk, Mapping[int, Snapshot]]]:
        """Each with what its refs look like; the next ones are asked about while one is dealt with."""
        under_way: deque[tuple[Chunk, PendingCall[dict[int, Snapshot]]]] = deque()
        try:
            for asked in chunks:
                under_way.append((asked, self.work.read(asked.refs)))
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
        for asked, seen in self._read_chunks(
            self._previous_chunks(source, cursor, without, self.work.batch_size)
        ):
            earlier, left = previous_results(purpose, asked.refs), len(asked.given) - len(asked.refs)
            yield SourcePage(asked.refs, seen, earlier, asked.cursor, asked.given, left)

    def _previous_chunks(self, source: Stored, cursor: str, without: IdSet, size: int) -> Iterator[Chunk]:
        for asked in _requests_by_ref(source, cursor, size):
            # What that job was asked for each item alone is no business of a job that does something else.
            given = asked if self.job.follow_up else dict.fromkeys(asked)
            yield Chunk(given, [ref for ref in given if ref not in without], str(max(given)))


def _previous_items(source: Stored) -> QuerySet[Item]:
    items = Item.objects.filter(job_id=source["job"], outcome__in=source["outcomes"])
    return items.filter(reason=source["reason"]) if source.get("reason") else items


def _requests_by_ref(source: Stored, cursor: str, size: int) -> Iterator[dict[int, Payload | None]]:
    """Items of an earlier job, by outcome and, where asked, by reason, with what was asked for each alone.

    The cursor is the last ref.
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
