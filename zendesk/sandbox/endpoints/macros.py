"""Macros and their previews."""

import json
from typing import Any

from zendesk.sandbox import timestamps
from zendesk.sandbox.account import fields, people
from zendesk.sandbox.account.macros import Macro
from zendesk.sandbox.endpoints.tickets import slot_of_ticket
from zendesk.sandbox.errors import not_found
from zendesk.sandbox.lists import paging
from zendesk.sandbox.replies import Reply, json_reply
from zendesk.sandbox.serving.request import Request
from zendesk.sandbox.state import Sandbox
from zendesk.sandbox.tickets import rendering


def _records(
    sandbox: Sandbox, base: str, *, only_active: bool = False, text: str = ""
) -> list[dict[str, Any]]:
    return [
        _record(sandbox, macro, base, position)
        for position, macro in enumerate(sandbox.macros)
        if (macro.active or not only_active) and text.lower() in macro.title.lower()
    ]


def _record(sandbox: Sandbox, macro: Macro, base: str, position: int) -> dict[str, Any]:
    edited = sandbox.macros_edited_at.get(macro.id)
    return macro.to_json(base, position) | ({} if edited is None else {"updated_at": timestamps.iso(edited)})


def index(sandbox: Sandbox, request: Request) -> Reply:
    records = _records(sandbox, request.base)
    wanted = request.query.get("active")
    if wanted is not None:
        records = [record for record in records if record["active"] == (wanted == "true")]
    return paging.paginated(request, "macros", records, "title,id")


def active(sandbox: Sandbox, request: Request) -> Reply:
    return paging.paginated(request, "macros", _records(sandbox, request.base, only_active=True), "title,id")


def search(sandbox: Sandbox, request: Request) -> Reply:
    found = _records(sandbox, request.base, text=request.query.get("query", ""))
    return paging.paginated(request, "macros", found, "title,id")


def show(sandbox: Sandbox, request: Request, macro_id: int) -> Reply:
    macro = _existing(sandbox, macro_id)
    return json_reply({"macro": _record(sandbox, macro, request.base, sandbox.macros.index(macro))})


def _existing(sandbox: Sandbox, macro_id: int) -> Macro:
    macro = next((macro for macro in sandbox.macros if macro.id == macro_id), None)
    if macro is None:
        raise not_found()
    return macro


def preview(sandbox: Sandbox, _request: Request, macro_id: int) -> Reply:
    """What the macro would change on any ticket; placeholders stay unfilled."""
    result = _existing(sandbox, macro_id).outcome(frozenset(), None)
    return json_reply({"result": {"ticket": _with_custom_fields(result, [])}})


def preview_on_ticket(sandbox: Sandbox, request: Request, ticket_id: int, macro_id: int) -> Reply:
    """The whole ticket as it would become, placeholders filled in. Nothing is written."""
    macro = _existing(sandbox, macro_id)
    store = sandbox.store
    slot = slot_of_ticket(sandbox, ticket_id)
    now = json.loads(rendering.ticket(store, slot, request.base))
    requester = people.name(rendering.requester_id(store, slot)) or ""
    placeholders = {
        "ticket.id": str(ticket_id),
        "ticket.title": store.subject(slot),
        "ticket.status": now["status"],
        "ticket.requester.name": requester,
        "ticket.requester.first_name": requester.partition(" ")[0],
        "ticket.link": f"{request.base}/agent/tickets/{ticket_id}",
        "current_user.name": people.ADMIN_NAME,
    }
    outcome = macro.outcome(frozenset(store.tags(slot)), placeholders)
    if "tags" in outcome:
        now["custom_fields"] = now["fields"] = fields.values(
            outcome["tags"], store.value(slot, "ticked", None)
        )
    return json_reply({"result": {"ticket": now | _with_custom_fields(outcome, now["custom_fields"])}})


def _with_custom_fields(outcome: dict[str, Any], held: list[dict[str, Any]]) -> dict[str, Any]:
    """Move `custom_fields_123` actions into the lists of fields that a ticket shows."""
    changed = {
        int(name.removeprefix("custom_fields_")): outcome.pop(name)
        for name in list(outcome)
        if name.startswith("custom_fields_")
    }
    if changed:
        kept = [one for one in held if one["id"] not in changed]
        shown = [*kept, *({"id": number, "value": value} for number, value in changed.items())]
        outcome["custom_fields"] = outcome["fields"] = shown
    return outcome
