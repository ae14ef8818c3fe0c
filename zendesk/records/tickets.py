"""Tickets, their audits, and tags with the number of tickets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zendesk.records.json_values import json_object, json_text, unexpected
from zendesk.tags import normalise


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

    @classmethod
    def from_json(cls, raw: Any) -> Ticket:
        match raw:
            case {"id": int(id_), "status": str(status), "tags": list(tags), "updated_at": str(stamp)}:
                try:
                    tag_set = frozenset(map(normalise, tags))
                except (AttributeError, TypeError) as exc:
                    raise unexpected("a ticket", raw) from exc
                return cls(id_, status, tag_set, stamp, json_text(raw, "subject"), raw)
            case _:
                raise unexpected("a ticket", raw)

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


@dataclass(frozen=True, slots=True)
class Audit:
    """One update in a ticket's history, without the text of comments."""

    created_at: str  # as sent
    custom: Mapping[str, Any]  # the metadata sent with the update
    has_comment: bool

    @classmethod
    def from_json(cls, raw: Any) -> Audit:
        raw = json_object(raw, "an audit")
        if not isinstance(raw.get("created_at"), str):
            raise unexpected("an audit", raw)
        metadata, events = raw.get("metadata"), raw.get("events")
        custom = metadata.get("custom") if isinstance(metadata, dict) else None
        types = [event.get("type") for event in events if isinstance(event, dict)] if events else []
        return cls(raw["created_at"], custom if isinstance(custom, dict) else {}, "Comment" in types)
