"""A million tickets in a few arrays.

A ticket is a slot. What many tickets share or what follows from the seed is not stored: a subject, a name or
a date is worked out from the slot's random_bits when it is asked for. Only what was changed later takes more room.
"""

import random
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from itertools import accumulate
from typing import Any

from zendesk.sandbox.account import field_values, fields, sample_data
from zendesk.sandbox.account.field_values import CLOSED
from zendesk.sandbox.tickets.tag_sets import TagSets
from zendesk.sandbox.timestamps import DAY

FIRST_ID = 40_213
_SPAN = 730 * DAY
_CLOSES_WITHIN = 40 * DAY
_DRAWN_TAG_SETS = 3_000
# Of a hundred tickets in each quarter, oldest first: new, open, pending, hold, solved, closed. 87 in a
# hundred are unsolved, so that 12,000 tickets hold more than 10,000 of them.
_STATUS_PERCENT = ((2, 40, 28, 10, 4, 16), (4, 46, 27, 9, 9, 5), (8, 49, 27, 6, 9, 1), (30, 45, 15, 4, 5, 1))
# Closed tickets are archived 120 days later (support.zendesk.com, article 4408887617050).
_ARCHIVED_AFTER = 120 * DAY

Listener = Callable[[int], None]


def _translation(percents: tuple[int, ...]) -> bytes:
    """256 random values to statuses in these proportions."""
    bounds = list(accumulate(percents))
    return bytes(
        next(rank for rank, bound in enumerate(bounds) if value * 100 < bound * 256) for value in range(256)
    )


def _gaps() -> bytes:
    """256 random values to the distance from one ticket number to the next."""
    return bytes(1 if value < 210 else 2 + value % 5 for value in range(256))


class Store:
    """The tickets, by slot; ascending slots are ascending numbers and ascending dates of creation."""

    def __init__(self, count: int, seed: int, now: float) -> None:
        rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self.count = count
        self.end = int(now) // DAY * DAY
        self.ids = array("q", accumulate(rng.randbytes(count).translate(_gaps()), initial=FIRST_ID - 1))
        self.ids.pop(0)
        self.status = bytearray()
        for quarter, percents in enumerate(_STATUS_PERCENT):
            size = count * (quarter + 1) // 4 - count * quarter // 4
            self.status += rng.randbytes(size).translate(_translation(percents))
        self.random_bits = array("I", rng.randbytes(4 * count))
        self.tag_sets = TagSets()
        self.tagset = self._draw_tag_sets(rng)
        self.deleted = bytearray(count)
        self.changed = array("I", bytes(4 * count))
        """Seconds of the last update; 0: as it was drawn."""
        self.archived = bytearray(
            status == CLOSED and self.updated(slot) < now - _ARCHIVED_AFTER
            for slot, status in enumerate(self.status)
        )
        self.sequence = 0
        """Grows by one with every update of any ticket."""
        self.last_change: dict[int, int] = {}
        """Slot to the `sequence` of its last update: finer than the clock, for conflicts."""
        self.extra: dict[int, dict[str, Any]] = {}
        """Slot to values that differ from the drawn ones."""
        self.on_changed: list[Listener] = []
        """Told the slot after each update."""
        self.on_before_change: list[Callable[[int, float], None]] = []
        """Told the slot and the time before each update."""

    def _draw_tag_sets(self, rng: random.Random) -> "array[int]":
        owned = tuple(field.tags for field in fields.FIELDS)
        drawn = [self.tag_sets.number(sample_data.draw_tags(rng, owned)) for _ in range(_DRAWN_TAG_SETS)]
        table = [drawn[value % len(drawn)] for value in range(65_536)]
        numbers = array("I", map(table.__getitem__, array("H", rng.randbytes(2 * self.count))))
        for number, holders in Counter(numbers).items():
            self.tag_sets.holders[number] = holders
        return numbers

    def slot(self, ticket_id: int) -> int | None:
        """Where a ticket is; None if there never was one of that number, or it was deleted."""
        slot = bisect_left(self.ids, ticket_id)
        if slot < self.count and self.ids[slot] == ticket_id and not self.deleted[slot]:
            return slot
        return None

    def tags(self, slot: int) -> tuple[str, ...]:
        return self.tag_sets.tags(self.tagset[slot])

    def created(self, slot: int) -> int:
        """Seconds since 1970; grows with the slot."""
        return self.end - _SPAN + slot * _SPAN // self.count

    def updated(self, slot: int) -> int:
        """Seconds since 1970 of the last update."""
        changed = self.changed[slot]
        if changed:
            return changed
        created = self.created(slot)
        room = self.end - created
        if self.status[slot] == CLOSED:
            room = min(room, _CLOSES_WITHIN)
        return created + (self.random_bits[slot] * 2_654_435_761 >> 9) % (room + 1)

    def value(self, slot: int, name: str, drawn: Any) -> Any:
        """A value that an update may have replaced."""
        replaced = self.extra.get(slot)
        return drawn if replaced is None else replaced.get(name, drawn)

    def subject(self, slot: int) -> str:
        return str(
            self.value(slot, "subject", sample_data.subject(self.random_bits[slot] >> 3, self.ids[slot]))
        )

    def priority(self, slot: int) -> str | None:
        priority: str | None = self.value(
            slot, "priority", field_values.PRIORITIES[(self.random_bits[slot] >> 11) % 5]
        )
        return priority

    def put(
        self, slot: int, *, at: float, tags: frozenset[str] | None = None, status: int | None = None
    ) -> None:
        """Write down an update, also one that changes nothing: it moves `updated_at` all the same."""
        self._notify_before_change(slot, at)
        if tags is not None:
            self.tag_sets.holders[self.tagset[slot]] -= 1
            self.tagset[slot] = number = self.tag_sets.number(tags)
            self.tag_sets.holders[number] += 1
        if status is not None:
            self.status[slot] = status
        self._mark_changed(slot, at)

    def delete(self, slot: int, *, at: float) -> None:
        self._notify_before_change(slot, at)
        self.deleted[slot] = 1
        self.tag_sets.holders[self.tagset[slot]] -= 1
        self._mark_changed(slot, at)

    def _notify_before_change(self, slot: int, at: float) -> None:
        for listener in self.on_before_change:
            listener(slot, at)

    def _mark_changed(self, slot: int, at: float) -> None:
        self.sequence += 1
        self.last_change[slot] = self.sequence
        self.changed[slot] = int(at)
        for listener in self.on_changed:
            listener(slot)
