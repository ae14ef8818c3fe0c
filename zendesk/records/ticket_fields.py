"""Ticket fields and the tags that are their values, and custom statuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zendesk.records.json_values import json_id, json_object, json_text
from zendesk.tags import normalise


@dataclass(frozen=True, slots=True)
class TicketField:
    """A ticket field, with the tags that represent its values.

    Adding such a tag sets the field, and removing it clears the field
    (support.zendesk.com, articles 4408881943194 and 4408825689882).
    """

    id: int
    title: str
    type: str  # tagger (a dropdown), multiselect, checkbox, text, …
    tags: frozenset[str]
    active: bool = True

    @classmethod
    def from_json(cls, raw: Any) -> TicketField:
        raw = json_object(raw, "a ticket field")
        options = raw.get("custom_field_options")
        values = [o.get("value") for o in options if isinstance(o, dict)] if isinstance(options, list) else []
        owned = (*values, raw.get("tag"))
        return cls(
            id=json_id(raw, "a ticket field"),
            title=json_text(raw, "title"),
            type=json_text(raw, "type"),
            tags=frozenset(normalise(tag) for tag in owned if isinstance(tag, str) and tag),
            active=raw.get("active") is not False,
        )


@dataclass(frozen=True, slots=True)
class CustomStatus:
    """A custom ticket status. Its category is what a ticket shows as ``status``.

    Source: developer.zendesk.com, custom ticket statuses.
    """

    id: int
    label: str  # as agents see it
    category: str  # new, open, pending, hold or solved
    active: bool = True

    @classmethod
    def from_json(cls, raw: Any) -> CustomStatus:
        raw = json_object(raw, "a custom status")
        return cls(
            id=json_id(raw, "a custom status"),
            label=json_text(raw, "agent_label"),
            category=json_text(raw, "status_category"),
            active=raw.get("active") is not False,
        )
