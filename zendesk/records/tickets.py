"""Tickets, their audits, and tags with the number of tickets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zendesk.errors import UnexpectedAnswer
from zendesk.records.json_values import json_object, json_text, shape_of, unexpected
from zendesk.tags import normalise

MAX_ID = 2**63 - 1  # what databases keep as a whole number


@dataclass(frozen=True, slots=True)
class Ticket:
    id: int
    status: str  # new, open, pending, hold, solved, closed; deleted in exports
    tags: frozenset[str]  # normalised, to compare with tags that people typed
    updated_at: str  # as sent, since it goes back unchanged as updated_stamp
    subject: str = ""
    fields: Mapping[str, Any] = field(
        default_factory=dict, repr=False, compare=False
    )  # the whole ticket, as sent
    #: Why the record could not be read, as the end of a sentence; then only the id is true. "" if it could.
    odd: str = ""

    @classmethod
    def from_json(cls, raw: Any) -> Ticket:
        """Parse a whole ticket; null tags are no tags."""
        ticket = cls.read(raw)
        if ticket.odd:
            raise unexpected("a ticket", raw)
        return ticket

    @classmethod
    def read(cls, raw: Any) -> Ticket:
        """Parse a ticket that may be odd. Raises UnexpectedAnswer only if it cannot even be named."""
        if not isinstance(raw, dict):
            raise UnexpectedAnswer(f"Zendesk sent {shape_of(raw)} in place of a ticket.")
        id_, status, tags, stamp = (raw.get(name) for name in ("id", "status", "tags", "updated_at"))
        if type(id_) is not int or not 1 <= id_ <= MAX_ID:
            raise UnexpectedAnswer(f"Zendesk sent a ticket whose id is {_shape_of_id(raw)}.")
        if not isinstance(status, str) or not status:
            return cls.unreadable(id_, f"its status is {_shape_in(raw, 'status')}")
        if not isinstance(stamp, str):
            return cls.unreadable(id_, f"its updated_at is {_shape_in(raw, 'updated_at')}")
        if tags is None and "tags" in raw:
            tags = []
        if not isinstance(tags, list):
            return cls.unreadable(id_, f"its tags are {_shape_in(raw, 'tags')}")
        if odd := [tag for tag in tags if not isinstance(tag, str)]:
            return cls.unreadable(id_, f"one of its tags is {shape_of(odd[0])}")
        return cls(id_, status, frozenset(map(normalise, tags)), stamp, json_text(raw, "subject"), raw)

    @classmethod
    def unreadable(cls, id_: int, why: str) -> Ticket:
        return cls(id_, "", frozenset(), "", odd=why)

    @property
    def is_closed(self) -> bool:
        return self.status == "closed"

    @property
    def is_ai_agent(self) -> bool:
        """An AI agent holds it: read-only until a person takes over (support.zendesk.com, 9204149016346)."""
        return self.fields.get("support_type") == "ai_agent"

    def custom_value(self, field_id: int) -> Any:
        """The value of a custom field, as sent; None if the ticket has no such field."""
        sent = self.fields.get("custom_fields")
        fields = (field for field in sent if isinstance(field, dict)) if isinstance(sent, list) else ()
        return next((field.get("value") for field in fields if field.get("id") == field_id), None)


def _shape_in(raw: Mapping[str, Any], key: str) -> str:
    return shape_of(raw[key]) if key in raw else "missing"


def _shape_of_id(raw: Mapping[str, Any]) -> str:
    if "id" not in raw:
        return "missing"
    return "no positive whole number" if type(raw["id"]) in (int, float) else shape_of(raw["id"])


@dataclass(frozen=True, slots=True)
class TagCount:
    name: str
    count: int  # tickets of the last 60 days

    @classmethod
    def from_json(cls, raw: Any) -> TagCount:
        raw = json_object(raw, "a tag")
        if not isinstance(raw.get("name"), str):
            raise unexpected("a tag", raw)
        count = raw.get("count")
        return cls(raw["name"], count if type(count) is int else 0)


#: The fields of a ticket whose values in audits are kept: Zendesk's words and numbers, no customer's.
AUDITED_FIELDS = frozenset(
    {
        "status", "custom_status_id", "type", "priority", "group_id", "assignee_id", "problem_id", "due_at",
    }
)  # fmt: skip


#: The values of a checkbox of the account in audits.
_TICKS = frozenset({"", "true", "false", "0", "1"})


@dataclass(frozen=True, slots=True)
class FieldChange:
    """What an update did to one field: its values as text, "" for none; those of tags are in ``added``."""

    field: str  # one of `AUDITED_FIELDS`, "tags", or the number of a checkbox of the account
    before: str = ""
    after: str = ""
    added: frozenset[str] = frozenset()  # tags, normalised
    removed: frozenset[str] = frozenset()

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> FieldChange | None:
        """None for an event that is no change of such a field."""
        name = event.get("field_name")
        if event.get("type") not in ("Change", "Create") or not isinstance(name, str):
            return None
        before, after = event.get("previous_value"), event.get("value")
        if name == "tags":
            held, now = _tags_in(before), _tags_in(after)
            return cls(name, added=now - held, removed=held - now)
        values = _word(before), _word(after)
        is_tick = name.isdecimal() and set(values) <= _TICKS
        return cls(name, *values) if name in AUDITED_FIELDS or is_tick else None


@dataclass(frozen=True, slots=True)
class Audit:
    """One update in a ticket's history, without words of customers."""

    created_at: str  # as sent
    custom: Mapping[str, Any]  # the metadata sent with the update
    has_comment: bool
    changes: tuple[FieldChange, ...] = ()  # in the order in which they were made; those of triggers too
    channel: str = ""  # through which the update came: "api", "web", "rule"

    @classmethod
    def from_json(cls, raw: Any) -> Audit:
        raw = json_object(raw, "an audit")
        if not isinstance(raw.get("created_at"), str):
            raise unexpected("an audit", raw)
        metadata, sent, via = raw.get("metadata"), raw.get("events"), raw.get("via")
        custom = metadata.get("custom") if isinstance(metadata, dict) else None
        events = [event for event in sent if isinstance(event, dict)] if isinstance(sent, list) else []
        changes = tuple(change for change in map(FieldChange.from_event, events) if change)
        channel = via.get("channel") if isinstance(via, dict) else None
        return cls(
            raw["created_at"],
            custom if isinstance(custom, dict) else {},
            any(event.get("type") == "Comment" for event in events),
            changes,
            channel if isinstance(channel, str) else "",
        )


def _tags_in(value: object) -> frozenset[str]:
    """The tags of an event: a list, or a text with blanks between them."""
    words = value.split() if isinstance(value, str) else value if isinstance(value, list) else []
    return frozenset(normalise(word) for word in words if isinstance(word, str))


def _word(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int) else ""
