"""The tickets of a view, kept up to date ticket by ticket: no page may cost a search of a million."""

from array import array
from bisect import bisect_left

from zendesk.sandbox.lists.criteria import Criteria
from zendesk.sandbox.tickets.store import Store


class ViewMembers:
    """The slots that match, ascending."""

    def __init__(self, store: Store, criteria: Criteria) -> None:
        self._store = store
        self._criteria = criteria
        self.slots = array("I", criteria.scan(store, range(store.count)))
        store.on_changed.append(self.refresh)

    def __len__(self) -> int:
        return len(self.slots)

    def refresh(self, slot: int) -> None:
        """Judge one ticket again."""
        place = bisect_left(self.slots, slot)
        is_in = place < len(self.slots) and self.slots[place] == slot
        belongs = self._criteria.match(self._store, slot)
        if belongs and not is_in:
            self.slots.insert(place, slot)
        elif is_in and not belongs:
            del self.slots[place]

    def page(self, offset: int, size: int, *, descending: bool) -> "array[int]":
        """A page by place, not by key: what leaves the view_members moves the rest up."""
        if not descending:
            return self.slots[offset : offset + size]
        end = len(self.slots) - offset
        return self.slots[max(0, end - size) : max(0, end)][::-1]
