"""What admins set up besides rules and that looks at tags, or is told of their changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from zendesk.records.json_values import json_object, json_text
from zendesk.records.rules import Action, tags_of

#: What the tags of a ticket are called in conditions; the documents name `current_tags` alone.
_TAGS = frozenset({"current_tags", "tags", "tag", "ticket_tags"})
#: Where conditions are: SLA policies have a filter, queues a definition, the others conditions.
_CONDITIONS = ("filter", "definition", "conditions")
#: What deletion schedules call tickets.
TICKETS = "zen:ticket"
#: How the type of an event of a ticket begins: zen:event-type:ticket.tags_changed.
TICKET_EVENT = "zen:event-type:ticket."
#: The name of the auto-routing tag where admins have given none (support.zendesk.com, article 4828787357210).
AUTO_ROUTING = "auto-routing"


@dataclass(frozen=True, slots=True)
class Conditional:
    """An SLA policy, custom queue, workspace or deletion schedule, with the tags that its conditions name."""

    id: str  # queues have texts; "" where it is neither a number nor a text
    title: str
    active: bool
    tags: frozenset[str]
    object: str = ""  # of a deletion schedule: what it deletes

    @classmethod
    def from_json(cls, raw: Any) -> Conditional:
        """Parse any of them; conditions in a shape not known here name no tags."""
        raw = json_object(raw, "a part of the account's setup")
        named = (part for key in _CONDITIONS for part in _conditions_in(raw.get(key)))
        return cls(
            id=_id(raw),
            title=json_text(raw, "title") or json_text(raw, "name"),
            active=raw.get("active") is not False and raw.get("activated") is not False,
            tags=tags_of(Action("current_tags", part.value) for part in named if part.field in _TAGS),
            object=json_text(raw, "object"),
        )


@dataclass(frozen=True, slots=True)
class Webhook:
    """A receiver of events, without its address."""

    id: str
    name: str
    active: bool
    events: frozenset[str]  # of tickets, without the beginning: "tags_changed"

    @classmethod
    def from_json(cls, raw: Any) -> Webhook:
        raw = json_object(raw, "a webhook")
        named = raw.get("subscriptions")
        events = [event for event in named if isinstance(event, str)] if isinstance(named, list) else []
        return cls(
            id=_id(raw),
            name=json_text(raw, "name"),
            active=raw.get("status") != "inactive",
            events=frozenset(
                event.removeprefix(TICKET_EVENT) for event in events if event.startswith(TICKET_EVENT)
            ),
        )


@dataclass(frozen=True, slots=True)
class AutoRouting:
    """The setting by which a tag makes e-mail tickets routable."""

    enabled: bool = True
    tag: str = AUTO_ROUTING

    @classmethod
    def from_settings(cls, raw: Any) -> AutoRouting:
        """Parse the account's settings; those without a word on routing leave the usual tag."""
        routing = json_object(raw, "the account's settings").get("routing")
        routing = routing if isinstance(routing, dict) else {}
        (tag, *_) = (*sorted(tags_of([Action("current_tags", routing.get("autorouting_tag"))])), AUTO_ROUTING)
        return cls(routing.get("enabled") is not False, tag)


def _id(raw: Mapping[str, Any]) -> str:
    id_ = raw.get("id")
    return str(id_) if isinstance(id_, int | str) else ""


def _conditions_in(raw: Any) -> Iterator[Action]:
    """All conditions, at any depth: lists of them stand under `all` and `any`, or alone."""
    if isinstance(raw, dict) and isinstance(raw.get("field"), str):
        yield Action(raw["field"], raw.get("value"))
    elif isinstance(raw, dict | list):
        for part in raw.values() if isinstance(raw, dict) else raw:
            yield from _conditions_in(part)
