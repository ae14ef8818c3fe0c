"""The incremental export of tickets."""

import json

from zendesk.sandbox import limits
from zendesk.sandbox.endpoints.search import EXPORT_PAGE_SIZE
from zendesk.sandbox.errors import ApiError, forbidden
from zendesk.sandbox.lists import cursors, paging
from zendesk.sandbox.replies import OK_CACHE, Reply
from zendesk.sandbox.serving.request import Request
from zendesk.sandbox.state import Sandbox
from zendesk.sandbox.tickets.rendering import compact_json, json_list, ticket

# The export omits changes of the last minute (developer.zendesk.com, incremental exports).
_NOT_YET_SECONDS = 60


def export(sandbox: Sandbox, request: Request) -> Reply:
    """All tickets by last change, archived and deleted ones too; for admins only."""
    now = sandbox.now()
    request.extra_headers |= sandbox.limits.count_endpoint(limits.INCREMENTAL, now)
    if sandbox.options.role != "admin":
        raise forbidden()
    per_page = min(max(1, request.integer("per_page", EXPORT_PAGE_SIZE)), EXPORT_PAGE_SIZE)
    if "cursor" in request.query:
        place = paging.read_cursor(request.query["cursor"], cursors.decode_incremental)
    else:
        place = (request.integer("start_time", 0) - 1, 1 << 62)
        if place[0] > now - _NOT_YET_SECONDS:
            raise ApiError(400, {"error": "StartTimeTooRecent", "description": "Too recent start_time."})
    store = sandbox.store
    part = sandbox.incremental_index.after(place, now - _NOT_YET_SECONDS, per_page + 1)
    end_of_stream = len(part) <= per_page
    part = part[:per_page]
    last = part[-1] if part else None
    cursor = request.query.get("cursor")
    if last is not None:
        cursor = cursors.encode_incremental(store.updated(last), store.ids[last])
    items = []
    for slot in part:
        more = f',"generated_timestamp":{store.updated(slot)}'
        text = ticket(store, slot, request.base, more=more)
        items.append(_as_deleted(text) if store.deleted[slot] else text)
    after_url = None
    if cursor is not None:
        request.query.pop("start_time", None)
        after_url = request.link(cursor=cursor, per_page=per_page)
    rest = {
        "after_url": after_url,
        "before_url": None,
        "after_cursor": cursor,
        "before_cursor": None,
        "end_of_stream": end_of_stream,
    }
    return Reply(200, json_list("tickets", items, rest), {"cache-control": OK_CACHE})


def _as_deleted(text: str) -> str:
    return compact_json(json.loads(text) | {"status": "deleted"})
