"""Reading tickets: the list, one, several."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Any

from zendesk.sandbox import timestamps
from zendesk.sandbox.account.views import VIEW_NOT_ARCHIVED
from zendesk.sandbox.errors import not_found, pagination, too_many_values
from zendesk.sandbox.limits import TICKETS_INDEX
from zendesk.sandbox.lists import cursors, paging
from zendesk.sandbox.replies import OK_CACHE, Reply, json_reply
from zendesk.sandbox.serving.request import MAX_IDS, Request
from zendesk.sandbox.state import Sandbox
from zendesk.sandbox.tickets.rendering import ticket

_SORTS = ("id", "updated_at", "status")


def slot_of_ticket(sandbox: Sandbox, ticket_id: int) -> int:
    """The ticket's slot in the store. Raises `ApiError` 404 if there is no such ticket."""
    slot = sandbox.store.slot(ticket_id)
    if slot is None:
        raise not_found()
    return slot


def rendered(
    sandbox: Sandbox, request: Request, slots: Iterable[int], *, with_fields: bool = True
) -> list[str]:
    return [ticket(sandbox.store, slot, request.base, with_fields=with_fields) for slot in slots]


def index(sandbox: Sandbox, request: Request) -> Reply:
    request.extra_headers |= sandbox.limits.count_endpoint(TICKETS_INDEX, sandbox.now())
    if paging.wants_cursor(request):
        return _index_by_cursor(sandbox, request)
    number, per_page = paging.offset_page(request)
    slots = _listed(sandbox)
    part = slots[(number - 1) * per_page : number * per_page]
    return paging.list_reply(
        "tickets",
        rendered(sandbox, request, part),
        paging.offset_metadata(request, number, per_page, len(slots)),
    )


def _listed(sandbox: Sandbox) -> Any:
    return sandbox.view_members(VIEW_NOT_ARCHIVED).slots


def _index_by_cursor(sandbox: Sandbox, request: Request) -> Reply:
    sort = request.query.get("sort", "id")
    column = sort.removeprefix("-")
    if column not in _SORTS:
        raise pagination("InvalidPaginationParameter", "sort is not valid")
    size = paging.size(request)
    slots = _listed(sandbox)
    store = sandbox.store
    if column == "id":
        part, has_more = _by_number(sandbox, request, slots, size, descending=sort.startswith("-"))
        after = cursors.encode_key("nice_id", store.ids[part[-1]]) if part else None
        before = cursors.encode_key("nice_id", store.ids[part[0]]) if part else None
    else:
        key = store.updated if column == "updated_at" else store.status.__getitem__
        ordered = sorted(slots, key=key, reverse=sort.startswith("-"))
        start = (
            paging.read_cursor(request.query["page[after]"], cursors.decode_key)
            if "page[after]" in request.query
            else 0
        )
        part, has_more = ordered[start : start + size], start + size < len(ordered)
        after = cursors.encode_key(column, start + len(part)) if part else None
        before = cursors.encode_key(column, start) if part else None
    rest = paging.cursor_metadata(request, after, before, has_more=has_more)
    # The list recorded in 2024 leaves `fields` out.
    with_fields = sandbox.options.header_style == "2023"
    return paging.list_reply("tickets", rendered(sandbox, request, part, with_fields=with_fields), rest)


def _by_number(
    sandbox: Sandbox, request: Request, slots: Any, size: int, *, descending: bool
) -> tuple[list[int], bool]:
    """A page after, or before, a ticket id: unlike an offset it stays right when tickets change."""
    ids = sandbox.store.ids
    backwards = "page[before]" in request.query
    text = request.query.get("page[before]") or request.query.get("page[after]")
    if text is None:
        place = len(slots) if descending else 0
    else:
        key = paging.read_cursor(text, cursors.decode_key)
        find = bisect_left if descending != backwards else bisect_right
        place = bisect_left(slots, find(ids, key))
    if descending != backwards:
        part = list(slots[max(0, place - size) : place])
        more = place > size
    else:
        part = list(slots[place : place + size])
        more = place + size < len(slots)
    return (part[::-1] if descending else part), more


def count(sandbox: Sandbox, _request: Request) -> Reply:
    value = len(_listed(sandbox))
    return json_reply({"count": {"value": value, "refreshed_at": timestamps.iso(sandbox.now())}})


def show(sandbox: Sandbox, request: Request, ticket_id: int) -> Reply:
    slot = slot_of_ticket(sandbox, ticket_id)
    body = f'{{"ticket":{ticket(sandbox.store, slot, request.base)}}}'
    return Reply(200, body.encode(), {"cache-control": OK_CACHE})


def show_many(sandbox: Sandbox, request: Request) -> Reply:
    """Sorted by id; silently omits ids that do not exist."""
    ids = request.ids()
    if len(ids) > MAX_IDS:
        raise too_many_values()
    found = sorted({slot for number in ids if (slot := sandbox.store.slot(number)) is not None})
    rest = {"next_page": None, "previous_page": None, "count": len(found)}
    return paging.list_reply("tickets", rendered(sandbox, request, found), rest)
