"""Bulk updates: the call queues a job and returns the job's status."""

from typing import Any

from zendesk.sandbox.endpoints.ticket_changes import parse_stamp, ticket_object, warn_dropped
from zendesk.sandbox.errors import invalid_attribute, too_many_values
from zendesk.sandbox.replies import Reply, json_reply
from zendesk.sandbox.serving.request import MAX_IDS, Request
from zendesk.sandbox.state import Sandbox
from zendesk.sandbox.tickets import updates
from zendesk.sandbox.tickets.bulk_job import TicketUpdate
from zendesk.sandbox.tickets.bulk_jobs import ignored_key


def update_many(sandbox: Sandbox, request: Request) -> Reply:
    """Both forms: one change for `?ids=`, or a list of tickets, each with its own change."""
    body = request.json
    dropped: list[str] = []
    is_batch = "tickets" in body
    ticket_updates = (
        _own_changes(sandbox, body["tickets"], dropped) if is_batch else _same_change(request, body, dropped)
    )
    faults = sandbox.faults.for_job(
        request.method, request.path, [update.ticket_id for update in ticket_updates]
    )
    parent = "tickets" if is_batch else "ticket"
    dropped += [f"{parent}.{ignored_key(rule)}" for rule in faults if rule.kind == "ignored_key"]
    warn_dropped(request, "update_many", dropped)
    with_type = sandbox.options.header_style == "2024"
    if with_type and sandbox.options.slots_header != "absent":
        request.extra_headers["zendesk-ratelimit-inflight-jobs"] = _named_slots(sandbox)
    job = sandbox.jobs.queue(ticket_updates, faults, sandbox.now())
    return json_reply({"job_status": job.to_json(request.base, with_type=with_type)})


def _named_slots(sandbox: Sandbox) -> str:
    """The slots for bulk jobs, the one that this call asks for counted."""
    options = sandbox.options
    if "=" in options.slots_header:
        return options.slots_header
    left = max(0, options.max_jobs - sandbox.jobs.named_as_open(sandbox.now()) - 1)
    return f"total={options.max_jobs}; remaining={left}; resets=60"


def _same_change(request: Request, body: dict[str, Any], dropped: list[str]) -> list[TicketUpdate]:
    change = ticket_object(body.get("ticket"))
    dropped += [name for name in body if name != "ticket"]
    unpermitted = updates.unpermitted(change, many=True)
    dropped += [f"ticket.{name}" for name in unpermitted]
    ids = request.ids()
    if len(ids) > MAX_IDS:
        raise too_many_values()
    kept = {name: value for name, value in change.items() if name not in unpermitted}
    stamp = kept.get("updated_stamp")
    if stamp is not None:
        parse_stamp(str(stamp))
    return [TicketUpdate(index, number, kept, stamp) for index, number in enumerate(dict.fromkeys(ids))]


def _own_changes(sandbox: Sandbox, tickets: Any, dropped: list[str]) -> list[TicketUpdate]:
    if not isinstance(tickets, list) or not tickets:
        raise invalid_attribute("tickets", "Must be a list of tickets.")
    if len(tickets) > MAX_IDS:
        raise too_many_values()
    ticket_updates: dict[int, TicketUpdate] = {}
    for index, value in enumerate(tickets):
        change = ticket_object(value)
        unpermitted = updates.unpermitted(change, many=True)
        treatment = sandbox.options.batch_tag_changes
        ignored = [name for name in change if treatment != "done" and name in updates.MANY_ONLY]
        told = [*unpermitted, *(ignored if treatment == "warned" else ())]
        dropped += [name for name in (f"tickets.{name}" for name in told) if name not in dropped]
        unpermitted += ignored
        kept = {name: part for name, part in change.items() if name not in unpermitted}
        try:
            number = int(kept["id"])
        except (KeyError, TypeError, ValueError):
            raise invalid_attribute("id", "Every ticket needs its number.") from None
        stamp = kept.get("updated_stamp")
        if stamp is not None:
            parse_stamp(str(stamp))
        lacks_stamp = "safe_update" in kept and stamp is None
        ticket_updates.setdefault(number, TicketUpdate(index, number, kept, stamp, lacks_stamp))
    return list(ticket_updates.values())
