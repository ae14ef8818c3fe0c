"""Tickets in the order of their last change."""

from bisect import bisect_right

from zendesk.sandbox.tickets.store import Store


class IncrementalIndex:
    """Sorted when asked, and again when something has changed since."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sequence = -1
        self._slots: list[int] = []

    def after(self, place: tuple[int, int], until: float, most: int) -> list[int]:
        """Up to `most` slots changed after a place (seconds since 1970, ticket number) and by `until`."""
        store = self._store
        if self._sequence != store.sequence:
            self._slots = sorted(range(store.count), key=store.updated)
            self._sequence = store.sequence
        start = bisect_right(self._slots, place, key=lambda slot: (store.updated(slot), store.ids[slot]))
        return [slot for slot in self._slots[start : start + most] if store.updated(slot) <= until]
