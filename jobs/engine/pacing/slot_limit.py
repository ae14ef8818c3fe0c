"""How many batches may be in flight, by what the other side's answers teach about its slots.

All users of the account share its slots. An answer may name how many there are and how many are free. That
may be missing, be late by some seconds, or count differently. A refusal is always true.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

#: Batches that may be in flight before anything is known.
START = 10
#: Slots that stay free for others, beyond the most that they had lately.
RESERVE = 2
#: As many slots of others are a person's own bulk edits. More are a program, which may want many at once.
FEW = 2
#: How often one more batch is tried where the limit is searched for, seconds: longer than its answer takes.
GROWTH_INTERVAL = 2.0
#: The same beside another program: its turns take some time, and the most that it wants is not known yet.
GROWTH_INTERVAL_BESIDE_OTHERS = 10.0
#: How long the most that others had counts in full, and then how long it takes to lose a slot, seconds.
OTHERS_HELD_FOR, OTHERS_LOSE_ONE_EACH = 90.0, 5.0
#: How long a refusal bounds the search, seconds.
CEILING_HELD_FOR = 120.0
#: The least bound that a refusal sets: with a momentarily full queue, few of our batches are in flight.
LOWEST_CEILING = 3
#: How old a reading is after which one batch is sent to get another, seconds.
READING_LIVES = 3.0
#: How far a reading may lag behind, seconds: batches that ended within it may still be counted.
READING_LAG = 5.0
#: How long without an answer until a limit that was searched for is forgotten, seconds.
FORGOTTEN_AFTER = 3600.0


@dataclass(frozen=True, slots=True)
class SlotLimit:
    """What was learned. Times are seconds since 1970; 0 is never."""

    limit: int = START  # where the search stands
    limited_at: float = 0.0
    total: int | None = None  # slots of the account; None: never named
    free: int = 0  # by the newest answer
    read_at: float = 0.0  # when the call of that answer began
    others: int = 0  # the most slots that others had
    others_at: float = 0.0
    ceiling: int | None = None  # what a refusal taught
    refused_at: float = 0.0
    misread: bool = False  # that refusal came although free slots had just been named

    @classmethod
    def from_json(cls, stored: Mapping[str, Any] | None) -> SlotLimit:
        """What `to_json` gave. Keys of other releases are left out."""
        known = {field.name for field in fields(cls)}
        return cls(**{name: value for name, value in (stored or {}).items() if name in known})

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def most(self, now: float, bound: int) -> int:
        """How many batches may be in flight, at least 1 and at most `bound`."""
        return max(1, min(self.limit, self._goal(now, bound)))

    def request(self, now: float, *, in_flight: int, since_reading: int, bound: int) -> SlotLimit | None:
        """What is known after one more batch goes; None: none may go.

        `since_reading` of those `in_flight` were sent after the call of the newest reading began.
        """
        if not in_flight:
            forgotten = now - max(self.limited_at, self.read_at, self.refused_at) > FORGOTTEN_AFTER
            return replace(self, limit=min(self.limit, START), limited_at=now) if forgotten else self
        if self.total and self._others_lately(now) and since_reading >= self._claimable(now):
            return None
        if in_flight < self.most(now, bound):
            return self
        if in_flight < self._goal(now, bound) and _age(self.limited_at, now) >= self._growth_interval(now):
            return replace(self, limit=in_flight + 1, limited_at=now)
        return None

    def read(
        self, now: float, *, called_at: float, total: int, free: int, ours: tuple[int, int]
    ) -> SlotLimit:
        """Learn from an answer that names slots.

        `ours` is the least and the most of our batches that it may count. Answers arrive out of order: one to
        an earlier call than the newest teaches nothing.
        """
        if total < 1 or called_at <= self.read_at <= now:
            return self
        least, most = ours
        lately, others = self._others_lately(now), max(total - free - most, 0)
        learned = replace(self, total=total, free=free, read_at=called_at)
        if not self.misread or _age(self.refused_at, now) >= CEILING_HELD_FOR:
            learned = replace(learned, ceiling=None)
        if others >= lately:
            learned = replace(learned, others=others, others_at=called_at)
        return learned._adapted(now, lately, is_alone=total - free - least <= FEW)

    def refused(
        self, now: float, *, called_at: float, in_flight: int, others: int | None = None
    ) -> SlotLimit:
        """Learn from a refusal; `others` had as many slots, if it named them.

        Calls made at the same time are refused together: only the first halves the limit.
        """
        learned = self
        if others is not None and others >= self._others_lately(now):
            learned = replace(learned, others=others, others_at=now)
        if called_at <= self.refused_at <= now:
            return learned
        return replace(
            learned,
            limit=max(1, in_flight // 2),
            limited_at=now,
            ceiling=max(in_flight - RESERVE, LOWEST_CEILING),
            refused_at=now,
            misread=self.free > RESERVE and _age(self.read_at, now) < READING_LIVES,
        )

    def _adapted(self, now: float, lately: int, *, is_alone: bool) -> SlotLimit:
        """Go as far as is free at once; beside another program begin with half, and search."""
        assert self.total is not None
        others = self._others_lately(now)
        if is_alone and others <= FEW and self.ceiling is None:
            return replace(self, limit=max(self.limit, self.total))
        half = max(1, self.total // 2 - RESERVE)
        if others > max(lately, FEW) and self.limit > half:
            return replace(self, limit=half, limited_at=now)
        return self

    def _goal(self, now: float, bound: int) -> int:
        goal = bound
        if self.total is not None:
            goal = min(goal, self.total - self._others_lately(now) - RESERVE)
        if self.ceiling is not None and _age(self.refused_at, now) < CEILING_HELD_FOR:
            goal = min(goal, self.ceiling)
        return max(1, goal)

    def _others_lately(self, now: float) -> int:
        """The most that others had. It fades by what newer readings say, not while there are none."""
        newest = self.read_at if self.total is not None and self.read_at <= now else now
        faded = max(0.0, newest - self.others_at - OTHERS_HELD_FOR) // OTHERS_LOSE_ONE_EACH
        return max(0, self.others - int(faded)) if self.others_at <= now else 0

    def _claimable(self, now: float) -> int:
        """How many batches may go after the newest reading, until there is another."""
        return max(self.free - RESERVE, 1 if _age(self.read_at, now) >= READING_LIVES else 0)

    def _growth_interval(self, now: float) -> float:
        return GROWTH_INTERVAL_BESIDE_OTHERS if self._others_lately(now) > FEW else GROWTH_INTERVAL


def _age(moment: float, now: float) -> float:
    """Seconds since then; a moment in the future is from before the clock was set back, and long ago."""
    return now - moment if moment <= now else FORGOTTEN_AFTER
