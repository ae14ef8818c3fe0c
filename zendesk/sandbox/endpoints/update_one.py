"""Updating one ticket."""

from typing import Any

from zendesk.sandbox import timestamps
from zendesk.sandbox.account import people
from zendesk.sandbox.endpoints.ticket_changes import apply_one, check_stamp, ticket_object, warn_dropped
from zendesk.sandbox.endpoints.tickets import slot_of_ticket
from zendesk.sandbox.limits import TICKETS_UPDATE
from zendesk.sandbox.replies import OK_CACHE, Reply
from zendesk.sandbox.serving.request import Request
from zendesk.sandbox.state import Sandbox
from zendesk.sandbox.tickets import updates
from zendesk.sandbox.tickets.rendering import compact_json, ticket


def update(sandbox: Sandbox, request: Request, ticket_id: int) -> Reply:
    change = ticket_object(request.json.get("ticket"))
    dropped = updates.unpermitted(change, many=False)
    warn_dropped(request, "update", [f"ticket.{name}" for name in dropped])
    slot = slot_of_ticket(sandbox, ticket_id)
    # The recorded 404 lacks this limit's header, so Zendesk must look up the ticket first.
    request.extra_headers |= sandbox.limits.count_endpoint(TICKETS_UPDATE, sandbox.now())
    kept = {name: value for name, value in change.items() if name not in dropped}
    check_stamp(sandbox, slot, kept)
    subject, held = sandbox.store.subject(slot), sandbox.store.tags(slot)
    apply_one(sandbox, slot, kept)
    events = []
    if sandbox.store.subject(slot) != subject:
        events.append(_event("subject", sandbox.store.subject(slot), subject))
    if sandbox.store.tags(slot) != held:
        events.append(_event("tags", list(sandbox.store.tags(slot)), list(held)))
    audit = compact_json(_audit(sandbox, ticket_id, events))
    body = f'{{"ticket":{ticket(sandbox.store, slot, request.base)},"audit":{audit}}}'
    return Reply(200, body.encode(), {"cache-control": OK_CACHE})


def _event(name: str, value: Any, previous: Any) -> dict[str, Any]:
    return {
        "id": 6_164_068_756_762,
        "type": "Change",
        "value": value,
        "field_name": name,
        "previous_value": previous,
    }


def _audit(sandbox: Sandbox, ticket_id: int, events: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": 6_164_000_000_000 + sandbox.store.sequence,
        "ticket_id": ticket_id,
        "created_at": timestamps.iso(sandbox.now()),
        "author_id": people.ADMIN_ID,
        "metadata": {
            "system": {
                "client": "demo",
                "ip_address": "127.0.0.1",
                "location": "",
                "latitude": 0.0,
                "longitude": 0.0,
            },
            "custom": {},
        },
        "events": events,
        "via": {"channel": "api", "source": {"from": {}, "to": {}, "rel": None}},
    }
