"""The two ways to update tickets, one and many, and the tags below a ticket."""

from typing import Any

from zendesk.sandbox import moments
from zendesk.sandbox.account import people
from zendesk.sandbox.account.vocabulary import STATUSES
from zendesk.sandbox.endpoints.tickets import existing_slot
from zendesk.sandbox.limits import TICKETS_UPDATE
from zendesk.sandbox.replies import (
    CLOSED_PREVENTS_UPDATE,
    OK_CACHE,
    Reply,
    answer,
    invalid_attribute,
    invalid_record,
    too_many_values,
    update_conflict,
)
from zendesk.sandbox.serving.request import MAX_IDS, Request
from zendesk.sandbox.state import Sandbox
from zendesk.sandbox.tickets import updates
from zendesk.sandbox.tickets.bulk_jobs import TicketUpdate
from zendesk.sandbox.tickets.rendering import compact, ticket


def _warn(asked: Request, action: str, unpermitted: list[str]) -> None:
    if unpermitted:
        keys = ", ".join(f'"{key}"' for key in unpermitted)
        asked.more_headers["x-zendesk-api-warn"] = (
            f'{{:allowed_parameters=>{{:controller=>"tickets", :action=>"{action}", '
            f":unpermitted_keys=>[{keys}], :invalid_values=>[]}}}}"
        )


def _ticket_object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise invalid_attribute("ticket", "Must be an object.")
    return value


def update(sandbox: Sandbox, asked: Request, ticket_id: int) -> Reply:
    change = _ticket_object(asked.json.get("ticket"))
    dropped = updates.unpermitted(change, many=False)
    _warn(asked, "update", [f"ticket.{name}" for name in dropped])
    slot = existing_slot(sandbox, ticket_id)
    # The recorded 404 carries no header of this limit: a ticket is looked for first.
    asked.more_headers |= sandbox.limits.count_endpoint(TICKETS_UPDATE, sandbox.now())
    kept = {name: value for name, value in change.items() if name not in dropped}
    check_stamp(sandbox, slot, kept)
    subject, held = sandbox.store.subject(slot), sandbox.store.tags(slot)
    apply_one(sandbox, slot, kept)
    events = []
    if sandbox.store.subject(slot) != subject:
        events.append(_event("subject", sandbox.store.subject(slot), subject))
    if sandbox.store.tags(slot) != held:
        events.append(_event("tags", list(sandbox.store.tags(slot)), list(held)))
    audit = compact(_audit(sandbox, ticket_id, events))
    body = f'{{"ticket":{ticket(sandbox.store, slot, asked.base)},"audit":{audit}}}'
    return Reply(200, body.encode(), {"cache-control": OK_CACHE})


def check_stamp(sandbox: Sandbox, slot: int, change: dict[str, Any]) -> None:
    """A safe update; also `safe_update: false` asks for one."""
    if "safe_update" not in change:
        return
    stamp = change.get("updated_stamp")
    if not isinstance(stamp, str):
        raise invalid_attribute("updated_stamp", "Is needed for a safe update.")
    if sandbox.store.updated(slot) > _moment(stamp):
        raise update_conflict()


def _moment(stamp: str) -> float:
    try:
        return moments.parse(stamp)
    except ValueError:
        raise invalid_attribute("updated_stamp", "Must be an ISO 8601 time.") from None


def apply_one(sandbox: Sandbox, slot: int, change: dict[str, Any], *, many: bool = False) -> None:
    """One update at once; `Refusal` 422 if the ticket does not allow it."""
    ledger = sandbox.ledger
    ledger.sent[sandbox.store.ids[slot]] += 1
    try:
        updates.apply(
            sandbox.store,
            slot,
            change,
            options=sandbox.options,
            ledger=ledger,
            audits=sandbox.audits,
            at=sandbox.now(),
            many=many,
        )
    except updates.ChangeRefused as refused:
        raise invalid_record(refused.problem.as_details()) from refused


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
        "created_at": moments.iso(sandbox.now()),
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


def update_many(sandbox: Sandbox, asked: Request) -> Reply:
    """Both forms: one change for `?ids=`, or a list of tickets each with its own."""
    body = asked.json
    dropped: list[str] = []
    is_batch = "tickets" in body
    works = _batch_works(body["tickets"], dropped) if is_batch else _bulk_works(asked, body, dropped)
    _warn(asked, "update_many", dropped)
    faults = sandbox.faults.of_job(asked.method, asked.path, [work.ticket_id for work in works])
    with_type = sandbox.options.header_style == "2024"
    if with_type:
        _tell_jobs_left(sandbox, asked, coming=1)
    job = sandbox.jobs.queue(works, faults, sandbox.now())
    return answer({"job_status": job.to_json(asked.base, with_type=with_type)})


def _tell_jobs_left(sandbox: Sandbox, asked: Request, *, coming: int) -> None:
    allowed = sandbox.options.max_jobs
    left = max(0, allowed - len(sandbox.jobs.open_ids()) - coming)
    told = f"total={allowed}; remaining={left}; resets=60"
    asked.more_headers["zendesk-ratelimit-inflight-jobs"] = told


def _bulk_works(asked: Request, body: dict[str, Any], dropped: list[str]) -> list[TicketUpdate]:
    change = _ticket_object(body.get("ticket"))
    dropped += [name for name in body if name != "ticket"]
    unpermitted = updates.unpermitted(change, many=True)
    dropped += [f"ticket.{name}" for name in unpermitted]
    ids = asked.ids()
    if len(ids) > MAX_IDS:
        raise too_many_values()
    kept = {name: value for name, value in change.items() if name not in unpermitted}
    stamp = kept.get("updated_stamp")
    if stamp is not None:
        _moment(str(stamp))
    return [TicketUpdate(index, number, kept, stamp) for index, number in enumerate(dict.fromkeys(ids))]


def _batch_works(tickets: Any, dropped: list[str]) -> list[TicketUpdate]:
    if not isinstance(tickets, list) or not tickets:
        raise invalid_attribute("tickets", "Must be a list of tickets.")
    if len(tickets) > MAX_IDS:
        raise too_many_values()
    works: dict[int, TicketUpdate] = {}
    for index, value in enumerate(tickets):
        change = _ticket_object(value)
        unpermitted = updates.unpermitted(change, many=True)
        dropped += [name for name in (f"tickets.{name}" for name in unpermitted) if name not in dropped]
        kept = {name: part for name, part in change.items() if name not in unpermitted}
        try:
            number = int(kept["id"])
        except (KeyError, TypeError, ValueError):
            raise invalid_attribute("id", "Every ticket needs its number.") from None
        stamp = kept.get("updated_stamp")
        if stamp is not None:
            _moment(str(stamp))
        is_missing = "safe_update" in kept and stamp is None
        works.setdefault(number, TicketUpdate(index, number, kept, stamp, is_missing))
    return list(works.values())


def tags_show(sandbox: Sandbox, _asked: Request, ticket_id: int) -> Reply:
    return answer({"tags": sandbox.store.tags(existing_slot(sandbox, ticket_id))})


def tags_change(sandbox: Sandbox, asked: Request, ticket_id: int) -> Reply:
    """POST sets, PUT adds, DELETE removes. Never of a closed ticket, whatever the account allows."""
    slot = existing_slot(sandbox, ticket_id)
    body = asked.json
    check_stamp(sandbox, slot, body)
    if STATUSES[sandbox.store.status[slot]] == "closed":
        raise invalid_record({"status": [{"description": CLOSED_PREVENTS_UPDATE}]})
    name = {"POST": "tags", "PUT": "additional_tags", "DELETE": "remove_tags"}[asked.method]
    apply_one(sandbox, slot, {name: body.get("tags")}, many=True)
    return answer({"tags": sandbox.store.tags(slot)}, status=201 if asked.method == "POST" else 200)
