"""Paginated lists, by cursor where Zendesk offers one, otherwise by page number."""

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
    """A page of a list. Save its cursor to resume after it."""

    items: list[T]
    next_cursor: str | None  # None: this is the last page
    total: int | None = None  # length of the whole list, if Zendesk says
    resume: str = ""  # of an export that has ended: the cursor by which to read on later

    @classmethod
    def from_json(cls, answer: Any, key: str, read: Callable[[Any], T]) -> Page[T]:
        """Parse a page of a cursor list. Raises UnexpectedAnswer."""
        cursor = next_cursor(answer, key)
        return cls(parse_items(answer, key, read), cursor)


def next_cursor(answer: Any, key: str) -> str | None:
    """The cursor of the next page; None on the last page. Raises UnexpectedAnswer.

    ``links.next`` is set on the last page too and may name another host, so only ``meta`` counts.
    """
    meta = answer.get("meta")
    if not isinstance(meta, dict) or not isinstance(meta.get("has_more"), bool):
        raise UnexpectedAnswer(f"Zendesk listed {key} without saying whether there are more.")
    cursor = meta.get("after_cursor") if meta["has_more"] else None
    if meta["has_more"] and not (isinstance(cursor, str) and cursor):
        raise UnexpectedAnswer(f"Zendesk says there are more {key} but not how to get them.")
    return cursor


def parse_items(answer: Any, key: str, read: Callable[[Any], T]) -> list[T]:
    """The records under a key. Raises UnexpectedAnswer."""
    items = answer.get(key) if isinstance(answer, dict) else None
    if not isinstance(items, list):
        raise UnexpectedAnswer(f"Zendesk's answer holds no list of {key}.")
    return [read(item) for item in items]


def follow_pages(fetch: Callable[[str | None], Page[T]], cursor: str | None = None) -> Iterator[Page[T]]:
    """All pages from a cursor on (None: from the start), each fetched on demand.

    Raises UnexpectedAnswer if the pages form a cycle, which would never end.
    """
    # Brent's algorithm detects cycles with one remembered page, replaced at growing distances; all pages of a
    # long list would take too much memory.
    remembered, passed, distance = cursor, 0, 1
    while True:
        page = fetch(cursor)
        leads_back = page.next_cursor in (cursor, remembered)
        yield page
        if page.next_cursor is None:
            return
        if leads_back:
            raise UnexpectedAnswer("Zendesk's list never ends: its pages lead back to earlier ones.")
        cursor = page.next_cursor
        passed += 1
        if passed == distance:
            remembered, passed, distance = cursor, 0, distance * 2
