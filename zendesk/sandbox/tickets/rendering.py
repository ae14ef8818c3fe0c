"""Fast rendering of tickets as JSON text: most of it is the same for all tickets, so it is a template."""

import json
from collections.abc import Iterable
from typing import Any

from zendesk.sandbox.account import custom_statuses, field_values, fields, people
from zendesk.sandbox.tickets.store import TicketStore
from zendesk.sandbox.timestamps import iso

_BRAND_ID = 6_130_830_354_842
_FORM_ID = 6_130_830_344_474

_TICKET = (
    '{"url":"%s/api/v2/tickets/%d.json","id":%d,"external_id":%s,'
    '"via":{"channel":"%s","source":{"from":{},"to":{},"rel":null}},'
    '"created_at":"%s","updated_at":"%s","type":%s,"subject":%s,"raw_subject":%s,"description":%s,'
    '"priority":%s,"status":"%s","recipient":null,"requester_id":%d,"submitter_id":%d,"assignee_id":%s,'
    '"organization_id":%s,"group_id":%s,"collaborator_ids":[],"follower_ids":[],"email_cc_ids":[],'
    '"forum_topic_id":null,"problem_id":%s,"has_incidents":false,"is_public":true,"due_at":%s,'
    '"tags":%s,"custom_fields":%s,%s"satisfaction_rating":null,"sharing_agreement_ids":[],'
    '"custom_status_id":%d,"followup_ids":[],"ticket_form_id":%s,"brand_id":%s,'
    '"allow_channelback":false,"allow_attachments":true,"from_messaging_channel":false%s%s}'
)


def compact_json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def assignee_id(store: TicketStore, slot: int) -> int | None:
    """The assignee, unless none: four in five tickets have one."""
    random_bits = store.random_bits[slot] >> 7
    drawn = None if random_bits % 5 == 0 else people.AGENT_IDS[random_bits // 5 % len(people.AGENT_IDS)]
    assignee: int | None = store.value(slot, "assignee_id", drawn)
    return assignee


def group_id(store: TicketStore, slot: int) -> int | None:
    group: int | None = store.value(
        slot, "group_id", people.GROUP_IDS[(store.random_bits[slot] >> 9) % len(people.GROUP_IDS)]
    )
    return group


def requester_id(store: TicketStore, slot: int) -> int:
    requester: int = store.value(slot, "requester_id", people.requester_id(store.random_bits[slot] >> 5))
    return requester


def support_type(store: TicketStore, slot: int) -> str:
    """Who holds the ticket (support.zendesk.com, article 9204149016346)."""
    return "ai_agent" if slot in store.ai_agent else "agent"


def ticket(
    store: TicketStore,
    slot: int,
    base: str,
    *,
    with_fields: bool = True,
    more: str = "",
    tag_set: int | None = None,
    status: int | None = None,
    updated: int | None = None,
) -> str:
    """One ticket.

    `with_fields` repeats `custom_fields` as `fields`. `more` holds further members, each after a comma.
    `tag_set`, `status` and `updated` replace the real ones, for a search index that lags behind.
    """
    number = store.ids[slot]
    random_bits = store.random_bits[slot]
    tags, custom_fields = store.tag_sets.json(store.tag_set[slot] if tag_set is None else tag_set)
    if ticked := store.value(slot, "ticked", None):
        held = store.tags(slot) if tag_set is None else store.tag_sets.tags(tag_set)
        custom_fields = compact_json(fields.values(held, ticked))
    rank = store.status[slot] if status is None else status
    subject = compact_json(store.subject(slot))
    changed = store.extra.get(slot, {})
    requester = requester_id(store, slot)
    return _TICKET % (
        base,
        number,
        number,
        compact_json(changed.get("external_id")),
        field_values.CHANNELS[(random_bits >> 13) % len(field_values.CHANNELS)],
        iso(store.created(slot)),
        iso(store.updated(slot) if updated is None else updated),
        compact_json(store.kind(slot)),
        subject,
        subject,
        subject,
        compact_json(store.priority(slot)),
        field_values.STATUSES[rank],
        requester,
        requester,
        compact_json(assignee_id(store, slot)),
        compact_json(changed.get("organization_id", people.ORGANIZATION_ID)),
        compact_json(group_id(store, slot)),
        compact_json(changed.get("problem_id")),
        compact_json(changed.get("due_at")),
        tags,
        custom_fields,
        f'"fields":{custom_fields},' if with_fields else "",
        _custom_status(changed, field_values.STATUSES[rank]),
        compact_json(changed.get("ticket_form_id", _FORM_ID)),
        compact_json(changed.get("brand_id", _BRAND_ID)),
        f',"support_type":"{support_type(store, slot)}"' if store.ai_agent else "",
        more,
    )


def _custom_status(changed: dict[str, Any], status: str) -> int:
    """The one that was set, as far as it goes with the status: a search index may show an older status."""
    known = custom_statuses.BY_ID.get(changed.get("custom_status_id", 0))
    category = "solved" if status == "closed" else status
    return known.id if known and known.category == category else custom_statuses.default_id(status)


def json_list(key: str, items: Iterable[str], rest: dict[str, Any]) -> bytes:
    """`{"tickets": [...], ...rest}` from items that are already JSON text."""
    return f'{{"{key}":[{",".join(items)}]{"," if rest else ""}{compact_json(rest)[1:]}'.encode()
