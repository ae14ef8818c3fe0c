"""What a job's list is made of: one source, or several united, with others taken out, and in an order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from django.db import models

#: A source as it is stored: `kind` says what else it holds.
Stored = dict[str, Any]

#: Sources whose refs people or earlier jobs gave; every other kind is the work's own business.
LISTED = "ids"
ITEMS = "items"
#: One that is made of others: `of` these, `without` those, in an `order`.
SEVERAL = "several"


class Order(models.TextChoices):
    """What comes first in the list, and stays in it where a limit cuts it."""

    AS_FOUND = "", "as they come"
    OLDEST = "oldest", "the oldest first"  # by ref
    NEWEST = "newest", "the newest first"
    LONGEST_UNCHANGED = "longest-unchanged", "the longest unchanged first"  # by their last change
    LAST_CHANGED = "last-changed", "the last changed first"

    @property
    def goes_by_change(self) -> bool:
        return self in (Order.LONGEST_UNCHANGED, Order.LAST_CHANGED)

    @property
    def is_backwards(self) -> bool:
        return self in (Order.NEWEST, Order.LAST_CHANGED)


class Verb(Enum):
    GATHER = auto()  # write down the refs of a part
    SORT = auto()  # write down all that was gathered anew, in order
    LIST = auto()  # make items of a part


@dataclass(frozen=True, slots=True)
class Stage:
    """A step on the way to the list. `part` is where the refs are that it reads."""

    verb: Verb
    part: int


def jobs_named(source: Stored) -> set[int]:
    """The earlier jobs from which it takes items."""
    return {part["job"] for part in SourceSpec.read(source).parts if part.get("kind") == ITEMS}


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A source taken apart. Parts are counted through: first those that are united, then those taken out."""

    of: Sequence[Stored]
    without: Sequence[Stored] = ()
    order: Order = Order.AS_FOUND

    @classmethod
    def read(cls, source: Stored) -> SourceSpec:
        if source.get("kind") != SEVERAL:
            return cls([source])
        return cls(source["of"], source.get("without", []), Order(source.get("order", "")))

    @property
    def is_plain(self) -> bool:
        return len(self.of) == 1 and not self.without and not self.order

    @property
    def parts(self) -> Sequence[Stored]:
        return [*self.of, *self.without]

    @property
    def stages(self) -> Sequence[Stage]:
        """What is taken out is read first: until all of it is known, no item may be made.

        In an order the rest is read as refs first as well, because the first item may be found last.
        """
        return list(self._stages())

    def _stages(self) -> Iterator[Stage]:
        yield from (Stage(Verb.GATHER, part) for part in self.taken_out if self._is_gathered(part))
        united = range(len(self.of))
        if not self.order:
            yield from (Stage(Verb.LIST, part) for part in united)
            return
        yield from (Stage(Verb.GATHER, part) for part in united if self._is_gathered(part))
        yield Stage(Verb.SORT, self.sorted_part)
        yield Stage(Verb.LIST, self.sorted_part)

    @property
    def taken_out(self) -> range:
        """The parts that are taken out."""
        return range(len(self.of), len(self.parts))

    @property
    def sorted_part(self) -> int:
        """Where the list in its order is written down; what lies from here on was worked out, not given."""
        return len(self.parts)

    def gathered_part(self, part: int) -> int:
        """Where what is gathered of a part is written down."""
        return len(self.parts) + 1 + part

    def written_at(self, part: int) -> int:
        """Where the refs of a part are once all is gathered."""
        return self.gathered_part(part) if self._is_gathered(part) else part

    def _is_gathered(self, part: int) -> bool:
        """Numbers that people gave are written down already, but not when each was last changed."""
        wants_moments = self.order.goes_by_change and part < len(self.of)
        return wants_moments or self.parts[part]["kind"] != LISTED
