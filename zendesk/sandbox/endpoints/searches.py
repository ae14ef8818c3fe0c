"""Search, its count, its export, and the incremental export."""

import json
from bisect import bisect_left
from typing import Any

from zendesk.sandbox import limits
from zendesk.sandbox.lists import cursors, paging
from zendesk.sandbox.lists.search import Query, parse
from zendesk.sandbox.replies import OK_CACHE, Refusal, Reply, answer, forbidden, invalid_attribute, pagination
from zendesk.sandbox.serving.request import Request
from zendesk.sandbox.state import Sandbox
from zendesk.sandbox.tickets.rendering import compact, envelope, ticket

# Search gives no more than this of one query (developer.zendesk.com, search).
MAX_RESULTS = 1_000
EXPORT_SIZE = 1_000
EXPORT_CURSOR_SECONDS = 3600
# The last minute is left out of the incremental export (developer.zendesk.com, incremental exports).
_NOT_YET_SECONDS = 60


def _query(asked: Request) -> Query:
    try:
        return parse(asked.query.get("query", ""))
    except ValueError as exc:
        raise Refusal(422, {"error": "invalid", "description": str(exc)}) from exc


def _results(sandbox: Sandbox, asked: Request) -> list[int]:
    sort_by, sort_order = asked.query.get("sort_by"), asked.query.get("sort_order", "desc")
    if sort_by:
        asked.query["query"] = f"{asked.query.get('query', '')} order_by:{sort_by} sort:{sort_order}"
    query = _query(asked)
    return sandbox.index.results(asked.query.get("query", ""), query)


def _rendered(sandbox: Sandbox, asked: Request, slots: list[int]) -> list[str]:
    """As the index knows them: tags and status may be old."""
    found = []
    for slot in slots:
        old = sandbox.index.remembered(slot)
        tagset, status = (old.tagset, old.status) if old else (None, None)
        more = ',"result_type":"ticket"'
        found.append(ticket(sandbox.store, slot, asked.base, more=more, tagset=tagset, status=status))
    return found


def search(sandbox: Sandbox, asked: Request) -> Reply:
    asked.more_headers |= sandbox.limits.count_endpoint(limits.SEARCH_INDEX, sandbox.now())
    if paging.wants_cursor(asked):
        raise pagination("InvalidPaginationParameter", "Cursor pagination is not supported for this endpoint")
    number, per_page = max(1, asked.whole("page", 1)), min(max(1, asked.whole("per_page", 100)), 100)
    if (number - 1) * per_page >= MAX_RESULTS:
        text = f"Requested response size was greater than Search Response Limits ({MAX_RESULTS} results)"
        raise Refusal(422, {"error": "invalid", "description": text})
    original = dict(asked.query)
    found = _results(sandbox, asked)
    asked.query = original
    part = found[(number - 1) * per_page : min(number * per_page, MAX_RESULTS)]
    rest: dict[str, Any] = {"facets": None, **paging.offset_rest(asked, number, per_page, len(found))}
    return paging.reply("results", _rendered(sandbox, asked, part), rest)


def count(sandbox: Sandbox, asked: Request) -> Reply:
    asked.more_headers |= sandbox.limits.count_endpoint(limits.SEARCH_INDEX, sandbox.now())
    return answer({"count": len(_results(sandbox, asked))})


def export(sandbox: Sandbox, asked: Request) -> Reply:
    """By date of creation, latest first; the walk has an hour."""
    now = sandbox.now()
    sandbox.limits.count_endpoint(limits.SEARCH_EXPORT, now)
    kind = asked.query.get("filter[type]")
    if kind is None:
        raise invalid_attribute("filter[type]", "Is needed: ticket, user, organization or group.")
    size = paging.size(asked, EXPORT_SIZE)
    query = _query(asked)
    store = sandbox.store
    begins_at, exported, started = store.count, 0, now
    if "page[after]" in asked.query:
        key, exported, started = paging.read_cursor(asked.query["page[after]"], cursors.read_export)
        if now - started > EXPORT_CURSOR_SECONDS:
            raise pagination("InvalidPaginationParameter", "page[after] has expired")
        begins_at = bisect_left(store.ids, key)
    part: list[int] = []
    has_more = False
    if kind == "ticket":
        for slot in sandbox.index.scan(query.criteria, range(begins_at - 1, -1, -1)):
            if len(part) == size:
                has_more = True
                break
            part.append(slot)
    after = None
    if part:
        last = part[-1]
        after = cursors.for_export(store.ids[last], store.created(last), exported + len(part), started)
    rest = {"facets": None, **paging.cursor_rest(asked, after, None, has_more=has_more)}
    found = paging.reply("results", _rendered(sandbox, asked, part), rest)
    found.headers["cache-control"] = "max-age=10, private"
    return found


def incremental(sandbox: Sandbox, asked: Request) -> Reply:
    """All tickets by the time of their last change, archived and deleted ones too; for admins."""
    now = sandbox.now()
    asked.more_headers |= sandbox.limits.count_endpoint(limits.INCREMENTAL, now)
    if sandbox.options.role != "admin":
        raise forbidden()
    per_page = min(max(1, asked.whole("per_page", EXPORT_SIZE)), EXPORT_SIZE)
    if "cursor" in asked.query:
        place = paging.read_cursor(asked.query["cursor"], cursors.read_increment)
    else:
        place = (asked.whole("start_time", 0) - 1, 1 << 62)
        if place[0] > now - _NOT_YET_SECONDS:
            raise Refusal(400, {"error": "StartTimeTooRecent", "description": "Too recent start_time."})
    store = sandbox.store
    part = sandbox.increments.after(place, now - _NOT_YET_SECONDS, per_page + 1)
    end_of_stream = len(part) <= per_page
    part = part[:per_page]
    last = part[-1] if part else None
    cursor = asked.query.get("cursor")
    if last is not None:
        cursor = cursors.for_increment(store.updated(last), store.ids[last])
    items = []
    for slot in part:
        more = f',"generated_timestamp":{store.updated(slot)}'
        text = ticket(store, slot, asked.base, more=more)
        items.append(_as_deleted(text) if store.deleted[slot] else text)
    after_url = None
    if cursor is not None:
        asked.query.pop("start_time", None)
        after_url = asked.link(cursor=cursor, per_page=per_page)
    rest = {
        "after_url": after_url,
        "before_url": None,
        "after_cursor": cursor,
        "before_cursor": None,
        "end_of_stream": end_of_stream,
    }
    return Reply(200, envelope("tickets", items, rest), {"cache-control": OK_CACHE})


def _as_deleted(text: str) -> str:
    return compact(json.loads(text) | {"status": "deleted"})
