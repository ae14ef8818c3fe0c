"""Search, its count and its export."""

from bisect import bisect_left
from typing import Any

from zendesk.sandbox import limits
from zendesk.sandbox.errors import ApiError, invalid_attribute, pagination
from zendesk.sandbox.lists import cursors, paging
from zendesk.sandbox.lists.query import Query, parse
from zendesk.sandbox.replies import Reply, json_reply
from zendesk.sandbox.serving.request import Request
from zendesk.sandbox.state import Sandbox
from zendesk.sandbox.tickets.rendering import ticket

# A search returns no more results than this (developer.zendesk.com, search).
MAX_RESULTS = 1_000
EXPORT_PAGE_SIZE = 1_000
EXPORT_CURSOR_SECONDS = 3600


def _query(request: Request) -> Query:
    try:
        return parse(request.query.get("query", ""))
    except ValueError as exc:
        raise ApiError(422, {"error": "invalid", "description": str(exc)}) from exc


def _results(sandbox: Sandbox, request: Request) -> list[int]:
    sort_by, sort_order = request.query.get("sort_by"), request.query.get("sort_order", "desc")
    if sort_by:
        request.query["query"] = f"{request.query.get('query', '')} order_by:{sort_by} sort:{sort_order}"
    query = _query(request)
    return sandbox.search_index.results(request.query.get("query", ""), query)


def _rendered(sandbox: Sandbox, request: Request, slots: list[int]) -> list[str]:
    """Tickets as the search index knows them: tags, status and time of change may be outdated."""
    found = []
    for slot in slots:
        old = sandbox.search_index.outdated(slot)
        more = ',"result_type":"ticket"'
        found.append(
            ticket(sandbox.store, slot, request.base, more=more)
            if old is None
            else ticket(
                sandbox.store,
                slot,
                request.base,
                more=more,
                tag_set=old.tag_set,
                status=old.status,
                updated=old.updated,
            )
        )
    return found


def search(sandbox: Sandbox, request: Request) -> Reply:
    request.extra_headers |= sandbox.limits.count_endpoint(limits.SEARCH_INDEX, sandbox.now())
    if paging.wants_cursor(request):
        raise pagination("InvalidPaginationParameter", "Cursor pagination is not supported for this endpoint")
    number, per_page = max(1, request.integer("page", 1)), min(max(1, request.integer("per_page", 100)), 100)
    if (number - 1) * per_page >= MAX_RESULTS:
        text = f"Requested response size was greater than Search Response Limits ({MAX_RESULTS} results)"
        raise ApiError(422, {"error": "invalid", "description": text})
    original = dict(request.query)
    found = _results(sandbox, request)
    request.query = original
    part = found[(number - 1) * per_page : min(number * per_page, MAX_RESULTS)]
    rest: dict[str, Any] = {"facets": None, **paging.offset_metadata(request, number, per_page, len(found))}
    return paging.list_reply("results", _rendered(sandbox, request, part), rest)


def count(sandbox: Sandbox, request: Request) -> Reply:
    request.extra_headers |= sandbox.limits.count_endpoint(limits.SEARCH_INDEX, sandbox.now())
    return json_reply({"count": len(_results(sandbox, request))})


def export(sandbox: Sandbox, request: Request) -> Reply:
    """Newest first, by creation. A cursor expires an hour after the export began."""
    now = sandbox.now()
    sandbox.limits.count_endpoint(limits.SEARCH_EXPORT, now)
    kind = request.query.get("filter[type]")
    if kind is None:
        raise invalid_attribute("filter[type]", "Is needed: ticket, user, organization or group.")
    size = paging.size(request, EXPORT_PAGE_SIZE)
    query = _query(request)
    store = sandbox.store
    begins_at, exported, started = store.count, 0, now
    if "page[after]" in request.query:
        key, exported, started = paging.read_cursor(request.query["page[after]"], cursors.decode_export)
        if now - started > EXPORT_CURSOR_SECONDS:
            raise pagination("InvalidPaginationParameter", "page[after] has expired")
        begins_at = bisect_left(store.ids, key)
    part: list[int] = []
    has_more = False
    if kind == "ticket":
        for slot in sandbox.search_index.scan(query.criteria, range(begins_at - 1, -1, -1)):
            if len(part) == size:
                has_more = True
                break
            part.append(slot)
    after = None
    if part:
        last = part[-1]
        after = cursors.encode_export(store.ids[last], store.created(last), exported + len(part), started)
    rest = {"facets": None, **paging.cursor_metadata(request, after, None, has_more=has_more)}
    found = paging.list_reply("results", _rendered(sandbox, request, part), rest)
    found.headers["cache-control"] = "max-age=10, private"
    return found
