"""What an update of one field does to others, and values that a ticket never takes back.

Sources: support.zendesk.com, article 4959212269210 (custom statuses); developer.zendesk.com, tickets. What is
not sure plays both ways, by `Options`.
"""

from collections.abc import Mapping
from typing import Any

from zendesk.sandbox.account import custom_statuses
from zendesk.sandbox.account.field_values import STATUSES
from zendesk.sandbox.options import Options
from zendesk.sandbox.tickets.store import TicketStore

#: Stored and shown again. `description` is accepted and silently ignored (zenpy's cassettes).
STORED = frozenset(
    {
        "subject", "type", "priority", "group_id", "assignee_id", "requester_id", "external_id",
        "organization_id", "due_at", "custom_status_id", "ticket_form_id", "brand_id", "problem_id",
    }
)  # fmt: skip
#: Fields that only tickets of one type have.
OF_TYPE = {"problem_id": "incident", "due_at": "task"}
#: Fields that may not take null.
NULLABLE = ("priority", "group_id", "assignee_id", "type")


class FieldRejected(Exception):
    """The whole update is refused; the text says why."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


def resolved(change: Mapping[str, Any], *, status: str, options: Options) -> dict[str, Any]:
    """The update as it is carried out on a ticket with this `status`. Raises `FieldRejected`.

    Setting `status` assigns the default custom status of that category, and setting a custom status sets its
    category. Together they must match.
    """
    now = dict(change)
    if options.nulls != "done":
        for name in [name for name in NULLABLE if name in now and now[name] is None]:
            if options.nulls == "refused":
                raise FieldRejected(name, f"{name.title()}: cannot be blank")
            del now[name]
    _resolve_status(now, status, options)
    return now


def _resolve_status(now: dict[str, Any], status: str, options: Options) -> None:
    chosen = now.pop("custom_status_id", None)
    if chosen is not None:
        custom = custom_statuses.BY_ID.get(chosen) if isinstance(chosen, int) else None
        if custom is None or not custom.active:
            raise FieldRejected("custom_status_id", "Custom status: is invalid")
        if now.get("status", custom.category) != custom.category:
            raise FieldRejected("custom_status_id", "Custom status: does not match the status category")
        now["status"] = custom.category
    if now.get("status") == "new" != status and options.back_to_new != "done":
        if options.back_to_new == "refused":
            raise FieldRejected("status", "Status: cannot be set back to new")
        del now["status"]
    elif (category := str(now.get("status")).lower()) in STATUSES:  # others are refused later
        now["custom_status_id"] = chosen or custom_statuses.default_id(category)


def store(tickets: TicketStore, slot: int, change: Mapping[str, Any], options: Options) -> None:
    """Keep the fields of a resolved update, and drop those that the ticket's type does not have."""
    kept = {name: value for name, value in change.items() if name in STORED}
    if kept:
        tickets.extra.setdefault(slot, {}).update(kept)
    if options.type_drops and kept.keys() & {"type", *OF_TYPE}:
        kind = tickets.kind(slot)
        for name, of in OF_TYPE.items():
            if kind != of:
                tickets.extra[slot].pop(name, None)
