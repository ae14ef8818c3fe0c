"""The tickets of a view, updated ticket by ticket: a page must not scan a million tickets."""

from array import array
from bisect import bisect_left

from zendesk.sandbox.lists.criteria import Criteria
from zendesk.sandbox.tickets.store import TicketStore


class ViewMembers:
    """The matching slots, ascending."""

    def __init__(self, store: TicketStore, criteria: Criteria) -> None:
        self._store = store
        self._criteria = criteria
        self.slots = array("I", criteria.scan(store, range(store.count)))
        store.on_changed.append(self.refresh)

    def __len__(self) -> int:
        return len(self.slots)

    def refresh(self, slot: int) -> None:
        """Add or remove one ticket after it changed."""
        position = bisect_left(self.slots, slot)
        is_in = position < len(self.slots) and self.slots[position] == slot
        belongs = self._criteria.match(self._store, slot)
        if belongs and not is_in:
            self.slots.insert(position, slot)
        elif is_in and not belongs:
            del self.slots[position]

    def page(self, offset: int, size: int, *, descending: bool) -> "array[int]":
        """A page by offset, not by key: when a ticket leaves the view, the rest move up."""
        if not descending:
            return self.slots[offset : offset + size]
        end = len(self.slots) - offset
        return self.slots[max(0, end - size) : max(0, end)][::-1]
