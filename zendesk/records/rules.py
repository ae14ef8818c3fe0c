"""What the account's admins set up: views, macros, triggers and automations, with the tags they name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from zendesk.records.json_values import json_id, json_object, json_text
from zendesk.tags import normalise

TAG_FIELDS = frozenset({"current_tags", "set_tags", "remove_tags"})  # in macro actions and in rules


@dataclass(frozen=True, slots=True)
class View:
    id: int
    title: str
    active: bool = True
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    tags: frozenset[str] = frozenset()  # in its conditions

    @classmethod
    def from_json(cls, raw: Any) -> View:
        raw = json_object(raw, "a view")
        return cls(
            json_id(raw, "a view"),
            json_text(raw, "title"),
            raw.get("active") is not False,
            raw,
            tags_of(_conditions(raw)),
        )


@dataclass(frozen=True, slots=True)
class ViewCount:
    """The approximate number of tickets in a view, which Zendesk caches for up to 90 minutes."""

    value: int | None  # None: Zendesk is still counting
    pretty: str  # "..." while counting, "~700" when rounded
    fresh: bool

    @classmethod
    def from_json(cls, raw: Any) -> ViewCount:
        raw = json_object(raw, "a view's count")
        value = raw.get("value")
        return cls(value if type(value) is int else None, json_text(raw, "pretty"), raw.get("fresh") is True)


@dataclass(frozen=True, slots=True)
class Action:
    """What a macro or a rule does to one field; `current_tags` with "vip angry" adds two tags."""

    field: str
    value: Any

    @property
    def tags(self) -> frozenset[str]:
        return _tags_in(self.value) if self.field in TAG_FIELDS else frozenset()


@dataclass(frozen=True, slots=True)
class Macro:
    id: int
    title: str
    active: bool
    actions: tuple[Action, ...]
    description: str = ""
    updated_at: str = ""  # as sent
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def from_json(cls, raw: Any) -> Macro:
        raw = json_object(raw, "a macro")
        return cls(
            id=json_id(raw, "a macro"),
            title=json_text(raw, "title"),
            active=raw.get("active") is not False,
            actions=tuple(_actions(raw.get("actions"))),
            description=json_text(raw, "description"),
            updated_at=json_text(raw, "updated_at"),
            raw=raw,
        )

    @property
    def tags(self) -> frozenset[str]:
        return tags_of(self.actions)


@dataclass(frozen=True, slots=True)
class Rule:
    """A trigger or an automation, with the tags it names."""

    id: int
    title: str
    active: bool
    tags: frozenset[str]  # in its conditions or its actions
    url: str  # as sent; to show, never to call

    @classmethod
    def from_json(cls, raw: Any) -> Rule:
        raw = json_object(raw, "a rule")
        return cls(
            id=json_id(raw, "a rule"),
            title=json_text(raw, "title"),
            active=raw.get("active") is not False,
            tags=tags_of([*_actions(raw.get("actions")), *_conditions(raw)]),
            url=json_text(raw, "url"),
        )


def _actions(raw: Any) -> Iterator[Action]:
    """Actions or conditions: both have a field and a value."""
    for part in raw if isinstance(raw, list) else ():
        if isinstance(part, dict) and isinstance(part.get("field"), str):
            yield Action(part["field"], part.get("value"))


def _conditions(raw: Mapping[str, Any]) -> Iterator[Action]:
    """All conditions, whether all or any of them must hold."""
    conditions = raw.get("conditions")
    for group in conditions.values() if isinstance(conditions, dict) else ():
        yield from _actions(group)


def tags_of(parts: Iterable[Action]) -> frozenset[str]:
    """The tags that actions or conditions name."""
    return frozenset().union(*(part.tags for part in parts))


def _tags_in(value: Any) -> frozenset[str]:
    """Zendesk sends tags as a space-separated string, in some places as a list."""
    words = value if isinstance(value, list) else [value]
    return frozenset(normalise(tag) for word in words if isinstance(word, str) for tag in word.split())
