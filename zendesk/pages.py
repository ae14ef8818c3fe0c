"""Lists in pages: by cursor where Zendesk offers it, by number where it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from zendesk.errors import UnexpectedAnswer

T = TypeVar("T")

PAGE_SIZE = (
    100  # the most that lists other than search exports give at once (developer.zendesk.com, pagination)
)


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A part of a list, and how to go on after it: save the cursor to resume there."""

    items: list[T]
    next_cursor: str | None  # None: this is the last page
    total: int | None = None  # of the whole list, where Zendesk tells

    @classmethod
    def from_json(cls, answer: Any, key: str, read: Callable[[Any], T]) -> Page[T]:
        """A page of a cursor list. Raises UnexpectedAnswer."""
        cursor = next_cursor(answer, key)
        return cls(items_of(answer, key, read), cursor)


def next_cursor(answer: Any, key: str) -> str | None:
    """Where a cursor list goes on; None: this was its last page. Raises UnexpectedAnswer.

    ``links.next`` is set on the last page too and names a host of its own, so only ``meta`` counts.
    """
    meta = answer.get("meta")
    if not isinstance(meta, dict) or not isinstance(meta.get("has_more"), bool):
        raise UnexpectedAnswer(f"Zendesk answered the list of {key} without saying whether there is more.")
    cursor = meta.get("after_cursor") if meta["has_more"] else None
    if meta["has_more"] and not (isinstance(cursor, str) and cursor):
        raise UnexpectedAnswer(f"Zendesk says there are more {key} and does not say how to get them.")
    return cursor


def items_of(answer: Any, key: str, read: Callable[[Any], T]) -> list[T]:
    """The records under a key. Raises UnexpectedAnswer."""
    items = answer.get(key) if isinstance(answer, dict) else None
    if not isinstance(items, list):
        raise UnexpectedAnswer(f"Zendesk's answer holds no list of {key}.")
    return [read(item) for item in items]


def follow(fetch: Callable[[str | None], Page[T]], cursor: str | None = None) -> Iterator[Page[T]]:
    """All pages from a cursor on (None: from the start). A page is asked for when it is wanted.

    Raises UnexpectedAnswer when the pages go in a circle, which would go on for ever.
    """
    # Brent's way to find a circle: one page is remembered, and a later one twice as far on each time. All
    # the pages of a long list would be too many to remember.
    remembered, passed, distance = cursor, 0, 1
    while True:
        page = fetch(cursor)
        leads_back = page.next_cursor in (cursor, remembered)
        yield page
        if page.next_cursor is None:
            return
        if leads_back:
            raise UnexpectedAnswer(
                "Zendesk's list does not end: its pages lead back to where they came from."
            )
        cursor = page.next_cursor
        passed += 1
        if passed == distance:
            remembered, passed, distance = cursor, 0, distance * 2
