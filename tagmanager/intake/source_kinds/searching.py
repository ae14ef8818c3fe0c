"""Sources whose tickets Zendesk's search finds.

Search and its export lag behind the tickets by minutes, in both directions: they miss tickets that match by
now, give others that match no longer, and show them as they were (zendesk_api_client_rb issue 122).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace

from jobs.source_spec import Stored
from tagmanager.intake.source_kinds.base import Counts, SourceKind
from zendesk import Page, Ticket, Zendesk


class FoundBySearch(SourceKind):
    """A kind that is one search, or several that together find its tickets."""

    gives_refs_only = True

    @abstractmethod
    def queries(self, stored: Stored) -> list[str]:
        """The searches. A ticket may be found by several of them."""

    def number(self, stored: Stored, counts: Counts) -> int | None:
        """An upper bound: a ticket that several searches find counts for each."""
        return sum(map(counts.search, self.queries(stored)))

    def count(self, zendesk: Zendesk, stored: Stored) -> int | None:
        """None for several searches: they count a ticket as often as they find it."""
        queries = self.queries(stored)
        return zendesk.search_count(queries[0]) if len(queries) == 1 else None

    def pages(self, zendesk: Zendesk, stored: Stored, cursor: str) -> Iterator[Page[Ticket]]:
        return _found_by(zendesk, self.queries(stored), cursor)


def _found_by(zendesk: Zendesk, queries: Sequence[str], cursor: str) -> Iterator[Page[Ticket]]:
    """One search after the other; the cursor of several is `number of the search:its own cursor`."""
    if len(queries) == 1:
        yield from zendesk.search_export(queries[0], cursor=cursor or None)
        return
    first, _, inner = cursor.partition(":")
    for number in range(int(first or 0), len(queries)):
        after = f"{number + 1}:" if number + 1 < len(queries) else None
        for page in zendesk.search_export(queries[number], cursor=inner or None):
            inside = page.next_cursor and f"{number}:{page.next_cursor}"
            yield replace(page, next_cursor=inside or after)
        inner = ""
