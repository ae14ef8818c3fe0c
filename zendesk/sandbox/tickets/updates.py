"""Applying an update to one ticket, or rejecting it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from zendesk.sandbox.account import fields
from zendesk.sandbox.account.field_values import CLOSED, PRIORITIES, SOLVED, STATUS_RANK, STATUSES, TYPES
from zendesk.sandbox.errors import CLOSED_PREVENTS_UPDATE
from zendesk.sandbox.ledger import Ledger
from zendesk.sandbox.options import Options
from zendesk.sandbox.tickets import field_rules, tags, triggers
from zendesk.sandbox.tickets.audits import Audits, FieldChange
from zendesk.sandbox.tickets.store import TicketStore

KNOWN = field_rules.STORED | {
    "status", "tags", "custom_fields", "fields", "comment", "macro_id", "macro_ids", "safe_update",
    "updated_stamp", "description", "assignee_email", "collaborator_ids", "additional_collaborators",
    "follower_ids", "followers", "email_cc_ids", "email_ccs", "is_public",
    "sharing_agreement_ids", "attribute_value_ids", "metadata",
}  # fmt: skip
# Only update_many honours these two; an update of one ticket drops them with a warning.
MANY_ONLY = frozenset({"additional_tags", "remove_tags"})
# "Allow admins to modify specific fields on a closed ticket" (support.zendesk.com, article 7335734335258).
_ALLOWED_ON_CLOSED = MANY_ONLY | {
    "id", "tags", "subject", "priority", "custom_fields", "fields", "safe_update", "updated_stamp",
    "macro_id", "macro_ids", "metadata",  # only recorded with the update
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why an update was rejected."""

    details: str
    attribute: str = "base"
    more: tuple[tuple[str, Any], ...] = ()

    def as_details(self) -> dict[str, list[dict[str, Any]]]:
        return {self.attribute: [{"description": self.details, **dict(self.more)}]}


class UpdateRejected(Exception):
    def __init__(self, problem: Rejection) -> None:
        super().__init__(problem.details)
        self.problem = problem


def unpermitted(change: Mapping[str, Any], *, many: bool) -> list[str]:
    """Keys of a ticket object that Zendesk drops, with a warning in a header."""
    known = KNOWN | MANY_ONLY | {"id"} if many else KNOWN
    return [name for name in change if name not in known]


def _field_values(change: Mapping[str, Any]) -> Iterable[tuple[int, Any]]:
    for name in ("custom_fields", "fields"):
        given = change.get(name) or []
        pairs = (
            given.items()
            if isinstance(given, Mapping)
            else ((one.get("id"), one.get("value")) for one in given)
        )
        yield from ((int(number), value) for number, value in pairs if number is not None)


def _tags_after(held: tuple[str, ...], change: Mapping[str, Any], *, many: bool) -> frozenset[str]:
    now = set(held)
    if "tags" in change:
        now = set()
        fields.add_tags(now, tags.normalise(change["tags"]))
    try:
        fields.set_fields(now, _field_values(change))
    except ValueError as exc:
        raise UpdateRejected(Rejection(str(exc))) from exc
    if many:
        fields.add_tags(now, tags.normalise(change.get("additional_tags")))
        now -= set(tags.normalise(change.get("remove_tags")))
    if tags.character_count(now) > max(tags.MAX_CHARACTERS, tags.character_count(held)):
        raise UpdateRejected(
            Rejection(f"Tags: is too long (maximum is {tags.MAX_CHARACTERS} characters)", "tags")
        )
    return frozenset(now)


def _status_after(
    store: TicketStore, slot: int, change: Mapping[str, Any], now: frozenset[str], options: Options
) -> int | None:
    if "status" not in change:
        return None
    status = STATUS_RANK.get(str(change["status"]).lower())
    if status is None:
        raise UpdateRejected(Rejection(f"Status: {change['status']} is not recognized", "status"))
    resolution = fields.BY_ID[fields.FIELD_RESOLUTION]
    if (
        options.require_resolution
        and status == SOLVED != store.status[slot]
        and resolution.value(now) is None
    ):
        more = (("error", None), ("ticket_field_id", resolution.id), ("ticket_field_type", "FieldTagger"))
        raise UpdateRejected(
            Rejection(f"{resolution.title}: field is empty (required to solve)", "base", more)
        )
    return status


def _reject_closed_or_invalid(
    store: TicketStore, slot: int, change: Mapping[str, Any], options: Options
) -> None:
    may_change_closed = options.allow_closed and options.role == "admin"
    if store.status[slot] == CLOSED and not (may_change_closed and set(change) <= _ALLOWED_ON_CLOSED):
        raise UpdateRejected(Rejection(CLOSED_PREVENTS_UPDATE, "status"))
    for name, allowed in (("priority", PRIORITIES), ("type", TYPES)):
        if change.get(name) not in allowed:
            raise UpdateRejected(Rejection(f"{name.title()}: {change[name]} is not valid", name))


#: The words for a ticket that an AI agent holds; Zendesk's own are not known.
AI_AGENT_HOLDS = "Ticket: is read-only until it is escalated to an agent"


def _is_ignored(store: TicketStore, slot: int, options: Options) -> bool:
    """Whether the update of a ticket that an AI agent holds does nothing. Raises `UpdateRejected`."""
    if slot not in store.ai_agent or options.ai_agent_updates == "accepted":
        return False
    if options.ai_agent_updates == "refused":
        raise UpdateRejected(Rejection(AI_AGENT_HOLDS))
    return True


def _resolved(store: TicketStore, slot: int, change: Mapping[str, Any], options: Options) -> dict[str, Any]:
    try:
        return field_rules.resolved(change, status=STATUSES[store.status[slot]], options=options)
    except field_rules.FieldRejected as refused:
        raise UpdateRejected(Rejection(str(refused), refused.field)) from refused


def _tag_changes(steps: Sequence[frozenset[str]]) -> Iterable[FieldChange]:
    """What the update did to the tags, and then what triggers did."""
    for place, (held, now) in enumerate(pairwise(steps)):
        if held != now:
            yield FieldChange("tags", sorted(held), sorted(now), by_trigger=place > 0)


def _field_changes(previous: Mapping[str, Any], now: Mapping[str, Any]) -> Iterable[FieldChange]:
    """Ids are texts in audits."""
    for name in sorted({*previous, *now} & field_rules.STORED):
        before, after = previous.get(name), now.get(name)
        if before != after:
            yield FieldChange(
                name, None if before is None else str(before), None if after is None else str(after)
            )


def apply_change(
    store: TicketStore,
    slot: int,
    change: Mapping[str, Any],
    *,
    options: Options,
    ledger: Ledger,
    audits: Audits,
    at: float,
    many: bool,
) -> None:
    """Apply the whole update to a ticket, unless the options ignore it.

    Raises `UpdateRejected` and then changes nothing.
    """
    _reject_closed_or_invalid(store, slot, change, options)
    if _is_ignored(store, slot, options):
        return
    change = _resolved(store, slot, change, options)
    held = store.tags(slot)
    now = _tags_after(held, change, many=many)
    status = _status_after(store, slot, change, now, options)
    previous = dict(store.extra.get(slot, {}))
    field_rules.store(store, slot, change, options)
    if ticked := fields.untagged(_field_values(change)):
        store.tick(slot, ticked)
    number = store.ids[slot]
    before = store.status[slot]
    asked = now
    if options.readding_tag in held and options.readding_tag is not None:
        now |= {options.readding_tag}
    if options.triggers and before != CLOSED:  # no business rules run on a closed ticket
        updated = triggers.UpdatedTicket(
            now, STATUSES[before if status is None else status], STATUSES[before]
        )
        now, fired = triggers.fire(options.triggers, updated)
        ledger.fired.update((title, number) for title in fired)
    store.put(slot, at=at, tags=None if now == frozenset(held) else now, status=status)
    ledger.updates[number] += 1
    steps = [frozenset(held), asked, now] if options.audits == "steps" else [frozenset(held), now]
    changes = (*_tag_changes(steps), *_field_changes(previous, store.extra.get(slot, {})))
    if status is not None and status != before:
        changes += (FieldChange("status", STATUSES[before], STATUSES[status]),)
    was, is_now = previous.get("ticked", {}), store.value(slot, "ticked", {})
    changes += tuple(
        FieldChange(str(name), was.get(name, False), value)
        for name, value in is_now.items()
        if value is not was.get(name, False)
    )
    comment = audits.add(number, change, at=at, with_metadata=options.keeps_metadata, changes=changes)
    if comment is not None:
        (ledger.public_comments if comment.public else ledger.internal_comments)[number] += 1
