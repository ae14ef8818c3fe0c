"""Views, their counts and their tickets."""

from typing import Any

from zendesk.sandbox import limits
from zendesk.sandbox.account.views import BY_ID, VIEWS
from zendesk.sandbox.endpoints.tickets import rendered
from zendesk.sandbox.errors import not_found, too_deep
from zendesk.sandbox.lists import cursors, paging
from zendesk.sandbox.replies import Reply, json_reply
from zendesk.sandbox.serving.request import Request
from zendesk.sandbox.state import Sandbox

_SORT_COLUMNS = {
    "created": "created_at",
    "created_at": "created_at",
    "updated": "updated_at",
    "updated_at": "updated_at",
}


def _records(base: str, *, only_active: bool = False) -> list[dict[str, Any]]:
    return [
        view.to_json(base, position) for position, view in enumerate(VIEWS) if view.active or not only_active
    ]


def index(_sandbox: Sandbox, request: Request) -> Reply:
    records = _records(request.base)
    wanted = request.query.get("active")
    if wanted is not None:
        records = [record for record in records if record["active"] == (wanted == "true")]
    return paging.paginated(request, "views", records, "created_at,id")


def active(_sandbox: Sandbox, request: Request) -> Reply:
    """Supports offset pagination only, whatever the caller asks for."""
    request.query = {name: value for name, value in request.query.items() if not name.startswith("page[")}
    return paging.paginated(request, "views", _records(request.base, only_active=True))


def show(_sandbox: Sandbox, request: Request, view_id: int) -> Reply:
    _existing(view_id)
    return json_reply(
        {"view": BY_ID[view_id].to_json(request.base, [view.id for view in VIEWS].index(view_id))}
    )


def _existing(view_id: int) -> None:
    if view_id not in BY_ID:
        raise not_found()


def count(sandbox: Sandbox, request: Request, view_id: int) -> Reply:
    _existing(view_id)
    now = sandbox.now()
    sandbox.limits.count_endpoint(limits.VIEW, now, view_id)
    told = sandbox.view_counts.get(view_id, now, lambda: len(sandbox.view_members(view_id)))
    url = f"{request.base}/api/v2/views/{view_id}/count.json"
    return json_reply({"view_count": {"url": url, "view_id": view_id, **told}})


def tickets(sandbox: Sandbox, request: Request, view_id: int) -> Reply:
    """The cursor hides an offset: when a ticket leaves the view, the next page skips one."""
    _existing(view_id)
    if not paging.wants_cursor(request):
        number, per_page = paging.offset_page(request)
        part, _, total = _part(sandbox, request, view_id, (number - 1) * per_page, per_page)
        return paging.list_reply(
            "tickets",
            rendered(sandbox, request, part),
            paging.offset_metadata(request, number, per_page, total),
        )
    size = paging.size(request)
    start = 0
    if "page[after]" in request.query:
        start = paging.read_cursor(request.query["page[after]"], cursors.decode_offset)
    elif "page[before]" in request.query:
        start = max(0, paging.read_cursor(request.query["page[before]"], cursors.decode_offset) - size)
    part, sort, total = _part(sandbox, request, view_id, start, size)
    depth = sandbox.options.view_depth
    if depth is not None and start + size >= depth and sandbox.options.view_end == "quiet":
        part, total = part[: max(depth - start, 0)], depth
    elif depth is not None and start >= depth:
        raise too_deep()
    after = cursors.encode_offset(sort, start + len(part)) if part else None
    before = cursors.encode_offset(sort, start - 1) if start else None
    rest = paging.cursor_metadata(request, after, before, has_more=start + size < total)
    return paging.list_reply("tickets", rendered(sandbox, request, part), rest)


def _part(
    sandbox: Sandbox, request: Request, view_id: int, start: int, size: int
) -> tuple[list[int], str, int]:
    """One page by offset, its sort order, and the number of tickets in the view."""
    view_members = sandbox.view_members(view_id)
    descending = request.query.get("sort_order", "desc") != "asc"
    order = "desc" if descending else "asc"
    column = _SORT_COLUMNS.get(request.query.get("sort_by", ""), "nice_id")
    if column == "updated_at":
        slots = sorted(view_members.slots, key=sandbox.store.updated, reverse=descending)
        return slots[start : start + size], f"{column} {order}", len(slots)
    return list(view_members.page(start, size, descending=descending)), f"{column} {order}", len(view_members)


def execute(sandbox: Sandbox, request: Request, view_id: int) -> Reply:
    """The rows an agent sees: a few columns of each ticket."""
    _existing(view_id)
    sandbox.limits.count_endpoint(limits.VIEW, sandbox.now(), view_id)
    number, per_page = paging.offset_page(request)
    part, _, total = _part(sandbox, request, view_id, (number - 1) * per_page, per_page)
    store = sandbox.store
    rows = [
        {
            "ticket_id": store.ids[slot],
            "subject": store.subject(slot),
            "priority": store.priority(slot),
            "ticket": {"id": store.ids[slot], "url": f"{request.base}/api/v2/tickets/{store.ids[slot]}.json"},
        }
        for slot in part
    ]
    view = BY_ID[view_id]
    columns = view.to_json(request.base, 0)["execution"]["columns"]
    return json_reply(
        {
            "rows": rows,
            "columns": columns,
            "view": {"id": view.id, "url": f"{request.base}/api/v2/views/{view.id}.json"},
            **paging.offset_metadata(request, number, per_page, total),
        }
    )
