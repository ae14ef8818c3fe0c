"""The two kinds of pages."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from zendesk.sandbox.lists import cursors
from zendesk.sandbox.replies import OK_CACHE, Reply, pagination, too_deep
from zendesk.sandbox.serving.request import Request
from zendesk.sandbox.tickets.rendering import compact, envelope

PAGE_SIZE = 100
# Offset pages end here (developer.zendesk.com, pagination).
MAX_OFFSET_PAGES = 100

T = TypeVar("T")


def wants_cursor(asked: Request) -> bool:
    return any(name.startswith("page[") for name in asked.query)


def size(asked: Request, largest: int = PAGE_SIZE) -> int:
    """`page[size]`; `Refusal` 400 past the largest."""
    wished = asked.whole("page[size]", PAGE_SIZE)
    if not 1 <= wished <= largest:
        raise pagination("InvalidPaginationParameter", f"page[size] must be between 1 and {largest}")
    return wished


def offset_page(asked: Request) -> tuple[int, int]:
    """Page number and size of an offset page; `Refusal` 400 past the depth that is allowed."""
    number = max(1, asked.whole("page", 1))
    per_page = min(max(1, asked.whole("per_page", PAGE_SIZE)), PAGE_SIZE)
    if number > MAX_OFFSET_PAGES:
        raise too_deep()
    return number, per_page


def offset_rest(asked: Request, number: int, per_page: int, total: int) -> dict[str, Any]:
    """What follows the records of an offset page."""
    return {
        "next_page": asked.link(page=number + 1) if number * per_page < total else None,
        "previous_page": asked.link(page=number - 1) if number > 1 else None,
        "count": total,
    }


def cursor_rest(asked: Request, after: str | None, before: str | None, *, has_more: bool) -> dict[str, Any]:
    """What follows the records of a cursor page. The last page has a `next` too: only `has_more` counts."""
    return {
        "meta": {"has_more": has_more, "after_cursor": after, "before_cursor": before},
        "links": {
            "prev": None if before is None else asked.link(page_before=before, page_after=None),
            "next": None if after is None else asked.link(page_after=after, page_before=None),
        },
    }


def reply(key: str, items: list[str], rest: dict[str, Any]) -> Reply:
    return Reply(200, envelope(key, items, rest), {"cache-control": OK_CACHE})


def read_cursor(text: str, read: Callable[[str], T]) -> T:
    """A cursor; `Refusal` 400 if it cannot be read."""
    try:
        return read(text)
    except ValueError:
        raise pagination("InvalidPaginationParameter", "page[after] is not valid") from None


def of_few(asked: Request, key: str, records: Sequence[dict[str, Any]], order: str = "id") -> Reply:
    """A page of a short list: everything that is no ticket."""
    if not wants_cursor(asked):
        number, per_page = offset_page(asked)
        part = records[(number - 1) * per_page : number * per_page]
        return reply(key, [compact(one) for one in part], offset_rest(asked, number, per_page, len(records)))
    per_page = size(asked)
    start = _start(asked, per_page)
    part = records[start : start + per_page]
    after = cursors.by_key(order, start + len(part)) if part else None
    before = cursors.by_key(order, start + 1) if part else None
    rest = cursor_rest(asked, after, before, has_more=start + per_page < len(records))
    return reply(key, [compact(one) for one in part], rest)


def _start(asked: Request, per_page: int) -> int:
    if "page[after]" in asked.query:
        return read_cursor(asked.query["page[after]"], cursors.read_key)
    if "page[before]" in asked.query:
        return max(0, read_cursor(asked.query["page[before]"], cursors.read_key) - 1 - per_page)
    return 0
