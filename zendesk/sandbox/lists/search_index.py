"""The search index: finds tickets, and may be behind what they have become."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from zendesk.sandbox.account.field_values import PRIORITIES
from zendesk.sandbox.lists.criteria import Criteria
from zendesk.sandbox.lists.query import Query
from zendesk.sandbox.options import Options
from zendesk.sandbox.tickets.store import Store

_CACHED_RESULTS = 16


@dataclass(frozen=True, slots=True)
class OutdatedTicket:
    """What the index still holds of a ticket that has changed."""

    expires_at: float
    tagset: int
    status: int


class SearchIndex:
    """Searches with results kept until a ticket changes: the pages of one search must not scan again."""

    def __init__(self, store: Store, options: Callable[[], Options]) -> None:
        self._store = store
        self._options = options
        self._outdated: dict[int, OutdatedTicket] = {}
        self._results: dict[tuple[str, int], list[int]] = {}

    def remember(self, slot: int, now: float) -> None:
        """Called before a ticket changes: searches find the old state for as long as the index is behind."""
        lag = self._options().search_lag
        if lag > 0 and slot not in self._outdated:
            store = self._store
            self._outdated[slot] = OutdatedTicket(now + lag, store.tagset[slot], store.status[slot])

    def catch_up(self, now: float) -> None:
        """Forget what is older than the lag."""
        if self._outdated:
            self._outdated = {slot: old for slot, old in self._outdated.items() if old.expires_at > now}

    def outdated(self, slot: int) -> OutdatedTicket | None:
        return self._outdated.get(slot)

    def scan(self, criteria: Criteria, slots: Iterable[int]) -> Iterable[int]:
        """Those of the slots that match, as the index knows them."""
        if not self._outdated:
            return criteria.scan(self._store, slots)
        return (slot for slot in slots if self._match(criteria, slot))

    def _match(self, criteria: Criteria, slot: int) -> bool:
        old = self._outdated.get(slot)
        if old is None:
            return criteria.match(self._store, slot)
        if old.status not in criteria.statuses or not criteria.tags_match(
            self._store.tag_sets.tags(old.tagset)
        ):
            return False
        # The rest is judged as it is now: only tags and status are outdated.
        return replace(criteria, statuses=frozenset({self._store.status[slot]}), tags=()).match(
            self._store, slot
        )

    def results(self, text: str, query: Query) -> list[int]:
        """All slots a query finds, in its order."""
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
