"""Offset and cursor pagination."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from zendesk.sandbox.errors import pagination, too_deep
from zendesk.sandbox.lists import cursors
from zendesk.sandbox.replies import OK_CACHE, Reply
from zendesk.sandbox.serving.request import Request
from zendesk.sandbox.tickets.rendering import compact_json, json_list

PAGE_SIZE = 100
# The last page that offset pagination reaches (developer.zendesk.com, pagination).
MAX_OFFSET_PAGES = 100

T = TypeVar("T")


def wants_cursor(request: Request) -> bool:
    return any(name.startswith("page[") for name in request.query)


def size(request: Request, largest: int = PAGE_SIZE) -> int:
    """`page[size]`. Raises `ApiError` 400 if it is out of range."""
    wanted = request.integer("page[size]", PAGE_SIZE)
    if not 1 <= wanted <= largest:
        raise pagination("InvalidPaginationParameter", f"page[size] must be between 1 and {largest}")
    return wanted


def offset_page(request: Request) -> tuple[int, int]:
    """Number and size of the offset page. Raises `ApiError` 400 beyond `MAX_OFFSET_PAGES`."""
    number = max(1, request.integer("page", 1))
    per_page = min(max(1, request.integer("per_page", PAGE_SIZE)), PAGE_SIZE)
    if number > MAX_OFFSET_PAGES:
        raise too_deep()
    return number, per_page


def offset_metadata(request: Request, number: int, per_page: int, total: int) -> dict[str, Any]:
    """The members that follow the records of an offset page."""
    return {
        "next_page": request.link(page=number + 1) if number * per_page < total else None,
        "previous_page": request.link(page=number - 1) if number > 1 else None,
        "count": total,
    }


def cursor_metadata(
    request: Request, after: str | None, before: str | None, *, has_more: bool
) -> dict[str, Any]:
    """The members that follow the records of a cursor page. Even the last page has a `next` link."""
    return {
        "meta": {"has_more": has_more, "after_cursor": after, "before_cursor": before},
        "links": {
            "prev": None if before is None else request.link(page_before=before, page_after=None),
            "next": None if after is None else request.link(page_after=after, page_before=None),
        },
    }


def list_reply(key: str, items: list[str], rest: dict[str, Any]) -> Reply:
    return Reply(200, json_list(key, items, rest), {"cache-control": OK_CACHE})


def read_cursor(text: str, read: Callable[[str], T]) -> T:
    """Decode a cursor with `read`. Raises `ApiError` 400 if it is invalid."""
    try:
        return read(text)
    except ValueError:
        raise pagination("InvalidPaginationParameter", "page[after] is not valid") from None


def paginated(request: Request, key: str, records: Sequence[dict[str, Any]], order: str = "id") -> Reply:
    """A page of a list short enough to build whole: of anything but tickets."""
    if not wants_cursor(request):
        number, per_page = offset_page(request)
        part = records[(number - 1) * per_page : number * per_page]
        return list_reply(
            key, [compact_json(one) for one in part], offset_metadata(request, number, per_page, len(records))
        )
    per_page = size(request)
    start = _start(request, per_page)
    part = records[start : start + per_page]
    after = cursors.encode_key(order, start + len(part)) if part else None
    before = cursors.encode_key(order, start + 1) if part else None
    rest = cursor_metadata(request, after, before, has_more=start + per_page < len(records))
    return list_reply(key, [compact_json(one) for one in part], rest)


def _start(request: Request, per_page: int) -> int:
    if "page[after]" in request.query:
        return read_cursor(request.query["page[after]"], cursors.decode_key)
    if "page[before]" in request.query:
        return max(0, read_cursor(request.query["page[before]"], cursors.decode_key) - 1 - per_page)
    return 0
