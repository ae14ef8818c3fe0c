"""Tickets ordered by last change."""

from bisect import bisect_right

from zendesk.sandbox.tickets.store import TicketStore


class IncrementalIndex:
    """Sorts on demand, and again only after a change."""

    def __init__(self, store: TicketStore) -> None:
        self._store = store
        self._sequence = -1
        self._slots: list[int] = []

    def after(self, position: tuple[int, int], until: float, limit: int) -> list[int]:
        """Up to `limit` slots changed after `position` (seconds since 1970, ticket id) and by `until`."""
        store = self._store
        if self._sequence != store.sequence:
            self._slots = sorted(range(store.count), key=store.updated)
            self._sequence = store.sequence
        start = bisect_right(self._slots, position, key=lambda slot: (store.updated(slot), store.ids[slot]))
        return [slot for slot in self._slots[start : start + limit] if store.updated(slot) <= until]
