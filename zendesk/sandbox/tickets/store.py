"""A million tickets in a few arrays.

Each ticket has a slot, its index in the arrays. Subjects, names and dates are not stored but derived from the
slot's random bits on demand. Only later changes take more memory.
"""

import random
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from itertools import accumulate
from typing import Any

from zendesk.sandbox.account import field_values, fields, sample_data
from zendesk.sandbox.account.field_values import CLOSED, OPEN
from zendesk.sandbox.tickets.tag_sets import TagSets
from zendesk.sandbox.timestamps import DAY

FIRST_ID = 40_213
_SPAN = 730 * DAY
_CLOSES_WITHIN = 40 * DAY
_DRAWN_TAG_SETS = 3_000
# Percentages of new, open, pending, hold, solved, closed for each quarter of the tickets, oldest first. 87 %
# are unsolved, so that 12,000 tickets include more than 10,000 unsolved ones.
_STATUS_PERCENT = ((2, 40, 28, 10, 4, 16), (4, 46, 27, 9, 9, 5), (8, 49, 27, 6, 9, 1), (30, 45, 15, 4, 5, 1))
# Zendesk archives closed tickets after 120 days (support.zendesk.com, article 4408887617050).
_ARCHIVED_AFTER = 120 * DAY

Listener = Callable[[int], None]


def _translation(percents: tuple[int, ...]) -> bytes:
    """A table that maps random bytes to statuses in these proportions."""
    bounds = list(accumulate(percents))
    return bytes(
        next(rank for rank, bound in enumerate(bounds) if value * 100 < bound * 256) for value in range(256)
    )


def _gaps() -> bytes:
    """A table that maps random bytes to the distance from one ticket id to the next."""
    return bytes(1 if value < 210 else 2 + value % 5 for value in range(256))


class TicketStore:
    """The tickets by slot; ids and dates of creation ascend with the slots."""

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
        self.tag_set = self._draw_tag_sets(rng)
        self.deleted = bytearray(count)
        self.changed = array("I", bytes(4 * count))
        """Time of the last update by slot, in seconds since 1970; 0 if never updated."""
        self.archived = bytearray(
            status == CLOSED and self.updated(slot) < now - _ARCHIVED_AFTER
            for slot, status in enumerate(self.status)
        )
        self.sequence = 0
        """Number of updates so far, of all tickets."""
        self.last_change: dict[int, int] = {}
        """The `sequence` of the last update by slot: finer than the clock, to detect conflicts."""
        self.extra: dict[int, dict[str, Any]] = {}
        """Values that updates replaced, by slot."""
        self.ai_agent: set[int] = set()
        """The slots of tickets that an AI agent holds."""
        self.on_changed: list[Listener] = []
        """Called with the slot after each update."""
        self.on_before_change: list[Callable[[int, float], None]] = []
        """Called with the slot and the time before each update."""

    def _draw_tag_sets(self, rng: random.Random) -> "array[int]":
        owned = tuple(field.tags for field in fields.FIELDS)
        drawn = [self.tag_sets.number(sample_data.draw_tags(rng, owned)) for _ in range(_DRAWN_TAG_SETS)]
        table = [drawn[value % len(drawn)] for value in range(65_536)]
        numbers = array("I", map(table.__getitem__, array("H", rng.randbytes(2 * self.count))))
        for number, holders in Counter(numbers).items():
            self.tag_sets.holders[number] = holders
        return numbers

    def hand_to_ai_agent(self, number: int) -> None:
        """Hand this many open tickets to an AI agent, spread evenly over the account."""
        ready = [slot for slot, status in enumerate(self.status) if status == OPEN]
        self.ai_agent = {ready[place * len(ready) // number] for place in range(min(number, len(ready)))}

    def slot(self, ticket_id: int) -> int | None:
        """The slot of a ticket; None if it never existed or was deleted."""
        slot = bisect_left(self.ids, ticket_id)
        if slot < self.count and self.ids[slot] == ticket_id and not self.deleted[slot]:
            return slot
        return None

    def tags(self, slot: int) -> tuple[str, ...]:
        return self.tag_sets.tags(self.tag_set[slot])

    def created(self, slot: int) -> int:
        """Seconds since 1970; grows with the slot."""
        return self.end - _SPAN + slot * _SPAN // self.count

    def updated(self, slot: int) -> int:
        """Seconds since 1970 of the last update."""
        changed = self.changed[slot]
        if changed:
            return changed
        created = self.created(slot)
        latest = self.end - created
        if self.status[slot] == CLOSED:
            latest = min(latest, _CLOSES_WITHIN)
        return created + (self.random_bits[slot] * 2_654_435_761 >> 9) % (latest + 1)

    def value(self, slot: int, name: str, drawn: Any) -> Any:
        """The value an update set, or else the `drawn` one."""
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

    def kind(self, slot: int) -> str | None:
        """The ticket's type."""
        drawn = field_values.TYPES[(self.random_bits[slot] >> 15) % len(field_values.TYPES)]
        kind: str | None = self.value(slot, "type", drawn)
        return kind

    def tick(self, slot: int, values: dict[int, bool]) -> None:
        """Set checkboxes that have no tag, by field id."""
        extra = self.extra.setdefault(slot, {})
        extra["ticked"] = extra.get("ticked", {}) | values

    def put(
        self, slot: int, *, at: float, tags: frozenset[str] | None = None, status: int | None = None
    ) -> None:
        """Record an update. It moves `updated_at` even if it changes nothing."""
        self._notify_before_change(slot, at)
        if tags is not None:
            self.tag_sets.holders[self.tag_set[slot]] -= 1
            self.tag_set[slot] = number = self.tag_sets.number(tags)
            self.tag_sets.holders[number] += 1
        if status is not None:
            self.status[slot] = status
        self._mark_changed(slot, at)

    def delete(self, slot: int, *, at: float) -> None:
        self._notify_before_change(slot, at)
        self.deleted[slot] = 1
        self.tag_sets.holders[self.tag_set[slot]] -= 1
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
