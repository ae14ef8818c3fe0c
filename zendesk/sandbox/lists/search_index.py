"""The search index, which may lag behind the tickets.

Then it misses tickets that match by now, and finds others that match no longer or are deleted, as they were.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from zendesk.sandbox.account.field_values import PRIORITIES
from zendesk.sandbox.lists.criteria import Criteria
from zendesk.sandbox.lists.query import Query
from zendesk.sandbox.options import Options
from zendesk.sandbox.tickets.store import TicketStore

_CACHED_RESULTS = 16


@dataclass(frozen=True, slots=True)
class OutdatedTicket:
    """The old state of a changed ticket that the index still shows."""

    expires_at: float
    tag_set: int
    status: int
    updated: int


class SearchIndex:
    """Searches tickets and caches results until one changes, so that each page of a search need not scan."""

    def __init__(self, store: TicketStore, options: Callable[[], Options]) -> None:
        self._store = store
        self._options = options
        self._outdated: dict[int, OutdatedTicket] = {}
        self._results: dict[tuple[str, int], list[int]] = {}

    def record_old_state(self, slot: int, now: float) -> None:
        """Record a ticket's state before it changes: searches see that state until the lag has passed."""
        lag = self._options().search_lag
        if lag > 0 and slot not in self._outdated:
            store = self._store
            self._outdated[slot] = OutdatedTicket(
                now + lag, store.tag_set[slot], store.status[slot], store.updated(slot)
            )

    def expire(self, now: float) -> None:
        """Drop old states once the lag has passed."""
        if self._outdated:
            self._outdated = {slot: old for slot, old in self._outdated.items() if old.expires_at > now}

    def outdated(self, slot: int) -> OutdatedTicket | None:
        return self._outdated.get(slot)

    def scan(self, criteria: Criteria, slots: Iterable[int]) -> Iterable[int]:
        """The slots that match as the index knows them."""
        if not self._outdated:
            return criteria.scan(self._store, slots)
        return (slot for slot in slots if self._match(criteria, slot))

    def _match(self, criteria: Criteria, slot: int) -> bool:
        old = self._outdated.get(slot)
        if old is None:
            return criteria.match(self._store, slot)
        if old.status not in criteria.statuses or not criteria.tags_match(
            self._store.tag_sets.tags(old.tag_set)
        ):
            return False
        # Everything else is tested as it is now: only tags, status and deletion lag behind.
        is_listed = criteria.archived or not self._store.archived[slot]
        return is_listed and all(test(self._store, slot) for test in criteria.tests)

    def results(self, text: str, query: Query) -> list[int]:
        """All slots that a query finds, in its order."""
        key = (text, self._store.sequence if not self._outdated else -1 - self._store.sequence)
        found = self._results.get(key)
        if found is None or self._outdated:
            found = list(self.scan(query.criteria, range(self._store.count - 1, -1, -1)))
            self._sort(found, query)
            if len(self._results) >= _CACHED_RESULTS:
                self._results.clear()
            self._results[key] = found
        return found

    def _sort(self, found: list[int], query: Query) -> None:
        store = self._store
        match query.order:
            case "updated":
                found.sort(key=store.updated, reverse=query.descending)
            case "status":
                found.sort(key=lambda slot: store.status[slot], reverse=query.descending)
            case "priority":
                found.sort(key=lambda slot: PRIORITIES.index(store.priority(slot)), reverse=query.descending)
            case _:
                if not query.descending:
                    found.reverse()
