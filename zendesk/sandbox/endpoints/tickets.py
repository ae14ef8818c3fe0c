"""Tickets: lists, one, many."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import Any

from zendesk.sandbox import moments
from zendesk.sandbox.account.views import VIEW_NOT_ARCHIVED
from zendesk.sandbox.limits import TICKETS_INDEX
from zendesk.sandbox.lists import cursors, paging
from zendesk.sandbox.replies import (
    OK_CACHE,
    Reply,
    answer,
    not_found,
    pagination,
    too_many_values,
)
from zendesk.sandbox.serving.request import MAX_IDS, Request
from zendesk.sandbox.state import Sandbox
from zendesk.sandbox.tickets.audits import Audit, of_creation
from zendesk.sandbox.tickets.rendering import requester_id, ticket

_SORTS = ("id", "updated_at", "status")


def existing_slot(sandbox: Sandbox, ticket_id: int) -> int:
    """Where a ticket is; `Refusal` 404 if there is none."""
    slot = sandbox.store.slot(ticket_id)
    if slot is None:
        raise not_found()
    return slot


def rendered(
    sandbox: Sandbox, asked: Request, slots: Iterable[int], *, with_fields: bool = True
) -> list[str]:
    return [ticket(sandbox.store, slot, asked.base, with_fields=with_fields) for slot in slots]


def index(sandbox: Sandbox, asked: Request) -> Reply:
    asked.more_headers |= sandbox.limits.count_endpoint(TICKETS_INDEX, sandbox.now())
    if paging.wants_cursor(asked):
        return _index_by_cursor(sandbox, asked)
    number, per_page = paging.offset_page(asked)
    slots = _listed(sandbox)
    part = slots[(number - 1) * per_page : number * per_page]
    return paging.reply(
        "tickets", rendered(sandbox, asked, part), paging.offset_rest(asked, number, per_page, len(slots))
    )


def _listed(sandbox: Sandbox) -> Any:
    return sandbox.selection(VIEW_NOT_ARCHIVED).slots


def _index_by_cursor(sandbox: Sandbox, asked: Request) -> Reply:
    sort = asked.query.get("sort", "id")
    column = sort.removeprefix("-")
    if column not in _SORTS:
        raise pagination("InvalidPaginationParameter", "sort is not valid")
    size = paging.size(asked)
    slots = _listed(sandbox)
    store = sandbox.store
    if column == "id":
        part, has_more = _by_number(sandbox, asked, slots, size, descending=sort.startswith("-"))
        after = cursors.by_key("nice_id", store.ids[part[-1]]) if part else None
        before = cursors.by_key("nice_id", store.ids[part[0]]) if part else None
    else:
        key = store.updated if column == "updated_at" else store.status.__getitem__
        ordered = sorted(slots, key=key, reverse=sort.startswith("-"))
        start = (
            paging.read_cursor(asked.query["page[after]"], cursors.read_key)
            if "page[after]" in asked.query
            else 0
        )
        part, has_more = ordered[start : start + size], start + size < len(ordered)
        after = cursors.by_key(column, start + len(part)) if part else None
        before = cursors.by_key(column, start) if part else None
    rest = paging.cursor_rest(asked, after, before, has_more=has_more)
    # The list recorded in 2024 leaves `fields` out.
    with_fields = sandbox.options.header_style == "2023"
    return paging.reply("tickets", rendered(sandbox, asked, part, with_fields=with_fields), rest)


def _by_number(
    sandbox: Sandbox, asked: Request, slots: Any, size: int, *, descending: bool
) -> tuple[list[int], bool]:
    """A page after, or before, a ticket number: it stays right when tickets change."""
    ids = sandbox.store.ids
    backwards = "page[before]" in asked.query
    text = asked.query.get("page[before]") or asked.query.get("page[after]")
    if text is None:
        place = len(slots) if descending else 0
    else:
        key = paging.read_cursor(text, cursors.read_key)
        find = bisect_left if descending != backwards else bisect_right
        place = bisect_left(slots, find(ids, key))
    if descending != backwards:
        part = list(slots[max(0, place - size) : place])
        more = place > size
    else:
        part = list(slots[place : place + size])
        more = place + size < len(slots)
    return (part[::-1] if descending else part), more


def count(sandbox: Sandbox, _asked: Request) -> Reply:
    value = len(_listed(sandbox))
    return answer({"count": {"value": value, "refreshed_at": moments.iso(sandbox.now())}})


def show(sandbox: Sandbox, asked: Request, ticket_id: int) -> Reply:
    slot = existing_slot(sandbox, ticket_id)
    body = f'{{"ticket":{ticket(sandbox.store, slot, asked.base)}}}'
    return Reply(200, body.encode(), {"cache-control": OK_CACHE})


def show_many(sandbox: Sandbox, asked: Request) -> Reply:
    """Sorted by number; what does not exist is left out without a word."""
    ids = asked.ids()
    if len(ids) > MAX_IDS:
        raise too_many_values()
    found = sorted({slot for number in ids if (slot := sandbox.store.slot(number)) is not None})
    rest = {"next_page": None, "previous_page": None, "count": len(found)}
    return paging.reply("tickets", rendered(sandbox, asked, found), rest)


def audits(sandbox: Sandbox, asked: Request, ticket_id: int) -> Reply:
    """Oldest first. An archived ticket shows none (developer.zendesk.com, ticket audits)."""
    records = [audit.to_json(ticket_id) for audit in _audits(sandbox, ticket_id)]
    return paging.of_few(asked, "audits", records)


def comments(sandbox: Sandbox, asked: Request, ticket_id: int) -> Reply:
    """Oldest first; the first one is what the customer wrote."""
    found = [audit.comment_to_json() for audit in _audits(sandbox, ticket_id)]
    return paging.of_few(asked, "comments", [comment for comment in found if comment])


def _audits(sandbox: Sandbox, ticket_id: int) -> list[Audit]:
    slot, store = existing_slot(sandbox, ticket_id), sandbox.store
    if store.archived[slot]:
        return []
    first = of_creation(ticket_id, store.created(slot), requester_id(store, slot), store.subject(slot))
    return [first, *sandbox.audits.of(ticket_id)]
