"""The sources of a job's list: one, or several combined, with others excluded, and sorted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from django.db import models

#: A source as stored; its `kind` determines the other keys.
Stored = dict[str, Any]

#: Sources whose refs people or earlier jobs gave; the work reads every other kind.
LISTED = "ids"
ITEMS = "items"
#: A source that combines others: `of` these, `without` those, in an `order`.
SEVERAL = "several"


class Order(models.TextChoices):
    """The order of the list, which also decides what a limit keeps."""

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
    GATHER = auto()  # store the refs of a part
    SORT = auto()  # store everything gathered again, in order
    LIST = auto()  # make items of a part


@dataclass(frozen=True, slots=True)
class Stage:
    """A step towards the list; `part` holds the refs that it reads."""

    verb: Verb
    part: int


def jobs_named(source: Stored) -> set[int]:
    """The earlier jobs whose items a source takes."""
    return {part["job"] for part in SourceSpec.read(source).parts if part.get("kind") == ITEMS}


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A parsed source. Its parts are numbered through: the combined ones first, then the excluded ones."""

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
        """Excluded parts are read first: no item may be made before all of them are known.

        For a sorted list the rest is collected as refs first, too, because the first item may be found last.
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
        """The excluded parts."""
        return range(len(self.of), len(self.parts))

    @property
    def sorted_part(self) -> int:
        """The part that holds the sorted list; parts from here on are computed, not given."""
        return len(self.parts)

    def gathered_part(self, part: int) -> int:
        """The part that holds the refs gathered from `part`."""
        return len(self.parts) + 1 + part

    def written_at(self, part: int) -> int:
        """The part that holds the refs of `part` once everything is gathered."""
        return self.gathered_part(part) if self._is_gathered(part) else part

    def _is_gathered(self, part: int) -> bool:
        """Numbers that people gave are stored already, but without the time of their last change."""
        wants_moments = self.order.goes_by_change and part < len(self.of)
        return wants_moments or self.parts[part]["kind"] != LISTED
