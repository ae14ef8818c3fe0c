"""Paginated lists: by cursor where Zendesk offers one, otherwise by page number, or on a single page."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qs, urlsplit

from zendesk.errors import UnexpectedAnswer

log = logging.getLogger(__name__)

T = TypeVar("T")

PAGE_SIZE = (
    100  # the most that lists other than search exports give at once (developer.zendesk.com, pagination)
)
#: Most pages of a list of records other than tickets: far more than any account has, yet an end.
MAX_PAGES = 1_000
#: Most pages without a record in a row before a list counts as broken off.
MAX_EMPTY_PAGES = 100
#: A page of at least this many records, none of which can be read, is an odd answer: no record is to blame.
ALL_ODD = 10
#: How a cursor begins that stands for a page number. Zendesk's own are base64, which has no colon.
BY_NUMBER = "page:"


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a list. Save its cursor to resume after it."""

    items: list[T]
    next_cursor: str | None  # None: this is the last page
    total: int | None = None  # length of the whole list, if Zendesk says
    resume: str = ""  # of an export that has ended: the cursor by which to read on later
    unreadable: tuple[str, ...] = ()  # what is odd about each record that is left out, in a sentence
    #: Why there may be more although this is the last page, in a sentence; "" where Zendesk ends the list.
    broke_off: str = ""

    @classmethod
    def from_json(cls, answer: Any, key: str, read: Callable[[Any], T], *, size: int = PAGE_SIZE) -> Page[T]:
        """Parse a page of a list that was asked for by cursor. Raises UnexpectedAnswer.

        Records that cannot be read are left out.
        """
        items, unreadable = parse_records(answer, key, read)
        cursor, broke_off = next_place(answer, key, number=len(items) + len(unreadable), size=size)
        return cls(items, cursor, unreadable=unreadable, broke_off=broke_off)


def next_place(answer: Any, key: str, *, number: int, size: int) -> tuple[str | None, str]:
    """The cursor of the next page, None on the last one, and why there may be more than the last one.

    Not every list has cursors, whatever is asked for, and the documents do not say which: a page by number
    has ``next_page``, and a list on a single page has neither. ``links.next`` of a page by cursor is set on
    the last page too, and any link may name another host: only ``meta`` and numbers count.
    Raises UnexpectedAnswer.
    """
    meta = answer.get("meta")
    if meta is not None:
        if not isinstance(meta, dict) or not isinstance(meta.get("has_more"), bool):
            raise UnexpectedAnswer(f"Zendesk listed {key} without saying whether there are more.")
        cursor = meta.get("after_cursor") if meta["has_more"] else None
        if meta["has_more"] and not (isinstance(cursor, str) and cursor):
            return None, f"Zendesk says that there are more {key}, but not how to get them."
        return cursor, ""
    if link := answer.get("next_page"):
        if place := _place_in(link):
            return place, ""
        return None, f"Zendesk says that there are more {key}, but not how to get them."
    if "next_page" not in answer and "count" not in answer and number >= size:
        return None, f"Zendesk listed {number:,} {key} on one page, without saying whether there are more."
    return None, ""


def _place_in(link: object) -> str:
    """The cursor for a link to a page by number; "" if it names none."""
    try:
        query = parse_qs(urlsplit(link).query) if isinstance(link, str) else {}
    except ValueError:
        return ""
    number, size = query.get("page", [""])[0], query.get("per_page", [""])[0]
    if not _is_number(number):
        return query.get("page[after]", [""])[0]
    return f"{BY_NUMBER}{number}:{size}" if _is_number(size) else f"{BY_NUMBER}{number}"


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10


def position(cursor: str | None, size: int) -> Mapping[str, str | int]:
    """The parameters that ask for the page at a cursor (None: the first) with up to ``size`` records."""
    if cursor is None:
        return {"page[size]": size}
    if not cursor.startswith(BY_NUMBER):
        return {"page[size]": size, "page[after]": cursor}
    # The size of the first page was Zendesk's choice; with another one, numbers would mean other records.
    number, _, same_size = cursor.removeprefix(BY_NUMBER).partition(":")
    return {"page": number, "per_page": same_size} if same_size else {"page": number}


def parse_items(answer: Any, key: str, read: Callable[[Any], T]) -> list[T]:
    """The readable records under a key. Raises UnexpectedAnswer."""
    return parse_records(answer, key, read)[0]


def parse_records(answer: Any, key: str, read: Callable[[Any], T]) -> tuple[list[T], tuple[str, ...]]:
    """The readable records under a key, and what is odd about each other one. Raises UnexpectedAnswer."""
    raw_items = answer.get(key) if isinstance(answer, dict) else None
    if not isinstance(raw_items, list):
        raise UnexpectedAnswer(f"Zendesk's answer holds no list of {key}.")
    items, odd = [], []
    for raw in raw_items:
        try:
            items.append(read(raw))
        except UnexpectedAnswer as error:
            odd.append(error.text)
    if odd:
        log.warning("%d of %d %s cannot be read: %s", len(odd), len(raw_items), key, odd[0])
        if not items and len(odd) >= ALL_ODD:
            raise UnexpectedAnswer(odd[0])
    return items, tuple(odd)


def follow_pages(fetch: Callable[[str | None], Page[T]], cursor: str | None = None) -> Iterator[Page[T]]:
    """All pages from a cursor on (None: from the start), each fetched on demand.

    The list ends at a page that leads back to itself or to an earlier one (airbyte issue 52059), and after
    many empty ones: ``broke_off`` of that page says so.
    """
    # Hashes, because the cursors of a long list would take too much memory.
    visited = {hash(cursor), hash(f"{BY_NUMBER}1")}
    empty = 0
    while True:
        page = fetch(cursor)
        empty = 0 if page.items or page.unreadable else empty + 1
        if page.next_cursor is None:
            yield page
            return
        if hash(page.next_cursor) in visited:
            yield replace(page, next_cursor=None, broke_off=LEADS_BACK)
            return
        if empty >= MAX_EMPTY_PAGES:
            yield replace(page, next_cursor=None, broke_off=ONLY_EMPTY)
            return
        yield page
        cursor = page.next_cursor
        visited.add(hash(cursor))


LEADS_BACK = "Zendesk's list leads back to a page that was read before."
ONLY_EMPTY = f"Zendesk's list goes on with empty pages: {MAX_EMPTY_PAGES} came in a row."
