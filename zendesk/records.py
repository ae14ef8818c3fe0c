"""What Zendesk's answers are made of, as values.

Only what a bulk tagger needs is picked out. ``from_json`` raises UnexpectedAnswer when a part without
which the record is worth nothing is missing or of the wrong kind, and takes the rest as it comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from zendesk.errors import UnexpectedAnswer
from zendesk.tags import normalise

TAG_FIELDS = frozenset({"current_tags", "set_tags", "remove_tags"})  # in macro actions and in rules
LIGHT_AGENT = 1  # role_type (developer.zendesk.com, users)


@dataclass(frozen=True, slots=True)
class Ticket:
    id: int
    status: str  # new, open, pending, hold, solved, closed; deleted in exports
    tags: frozenset[str]  # normalised, so that they compare with what people typed
    updated_at: str  # as sent: it goes back as updated_stamp, to the letter
    subject: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)  # the whole, as sent

    @classmethod
    def from_json(cls, raw: Any) -> Ticket:
        match raw:
            case {"id": int(id_), "status": str(status), "tags": list(tags), "updated_at": str(stamp)}:
                try:
                    tag_set = frozenset(map(normalise, tags))
                except (AttributeError, TypeError) as exc:
                    raise _unexpected("a ticket", raw) from exc
                return cls(id_, status, tag_set, stamp, _text(raw, "subject"), raw)
            case _:
                raise _unexpected("a ticket", raw)

    @property
    def is_closed(self) -> bool:
        return self.status == "closed"

    def custom_value(self, field_id: int) -> Any:
        """What stands in a custom field, as sent; None where the ticket has no such field."""
        sent = self.fields.get("custom_fields")
        each = (field for field in sent if isinstance(field, dict)) if isinstance(sent, list) else ()
        return next((field.get("value") for field in each if field.get("id") == field_id), None)


@dataclass(frozen=True, slots=True)
class User:
    """A user, without the session token that users/me also sends."""

    id: int | None  # None: not signed in
    name: str
    email: str
    role: str  # admin, agent or end-user
    active: bool = True
    suspended: bool = False
    is_light_agent: bool = False
    is_restricted: bool = False  # sees only a part of the tickets
    ticket_restriction: str | None = None  # which part: assigned, groups, organization, requested
    custom_role_id: int | None = None
    time_zone: str = ""

    @classmethod
    def from_json(cls, raw: Any) -> User:
        raw = _object(raw, "a user")
        restriction = raw.get("ticket_restriction")
        return cls(
            id=raw.get("id") if type(raw.get("id")) is int else None,
            name=_text(raw, "name"),
            email=_text(raw, "email"),
            role=_text(raw, "role"),
            active=raw.get("active") is not False,
            suspended=raw.get("suspended") is True,
            is_light_agent=raw.get("role_type") == LIGHT_AGENT,
            is_restricted=raw.get("restricted_agent") is True or bool(restriction),
            ticket_restriction=restriction if isinstance(restriction, str) else None,
            custom_role_id=raw.get("custom_role_id") if type(raw.get("custom_role_id")) is int else None,
            time_zone=_text(raw, "iana_time_zone") or _text(raw, "time_zone"),
        )


@dataclass(frozen=True, slots=True)
class CustomRole:
    id: int
    name: str
    may_edit_tags: bool
    is_light_agent: bool
    ticket_access: str  # "all", or which part of the tickets

    @classmethod
    def from_json(cls, raw: Any) -> CustomRole:
        raw = _object(raw, "a role")
        rights = _object(raw.get("configuration"), "a role's configuration")
        return cls(
            id=_id(raw, "a role"),
            name=_text(raw, "name"),
            may_edit_tags=rights.get("ticket_tag_editing") is not False,
            is_light_agent=rights.get("light_agent") is True,
            ticket_access=_text(rights, "ticket_access"),
        )


@dataclass(frozen=True, slots=True)
class View:
    id: int
    title: str
    active: bool = True
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    tags: frozenset[str] = frozenset()  # in its conditions

    @classmethod
    def from_json(cls, raw: Any) -> View:
        raw = _object(raw, "a view")
        return cls(
            _id(raw, "a view"),
            _text(raw, "title"),
            raw.get("active") is not False,
            raw,
            _tags_of(_conditions(raw)),
        )


@dataclass(frozen=True, slots=True)
class ViewCount:
    """About how many tickets a view holds: cached by Zendesk, up to 90 minutes old."""

    value: int | None  # None: Zendesk is still counting
    pretty: str  # "..." while counting, "~700" when rounded
    fresh: bool

    @classmethod
    def from_json(cls, raw: Any) -> ViewCount:
        raw = _object(raw, "a view's count")
        value = raw.get("value")
        return cls(value if type(value) is int else None, _text(raw, "pretty"), raw.get("fresh") is True)


@dataclass(frozen=True, slots=True)
class TagCount:
    name: str
    count: int  # tickets of the last 60 days

    @classmethod
    def from_json(cls, raw: Any) -> TagCount:
        raw = _object(raw, "a tag")
        if not isinstance(raw.get("name"), str):
            raise _unexpected("a tag", raw)
        count = raw.get("count")
        return cls(raw["name"], count if type(count) is int else 0)


@dataclass(frozen=True, slots=True)
class Action:
    """What a macro or a rule does to one field, such as current_tags (which adds) with "vip angry"."""

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
        raw = _object(raw, "a macro")
        return cls(
            id=_id(raw, "a macro"),
            title=_text(raw, "title"),
            active=raw.get("active") is not False,
            actions=tuple(_actions(raw.get("actions"))),
            description=_text(raw, "description"),
            updated_at=_text(raw, "updated_at"),
            raw=raw,
        )

    @property
    def tags(self) -> frozenset[str]:
        return _tags_of(self.actions)


@dataclass(frozen=True, slots=True)
class Group:
    """A group of agents."""

    id: int
    name: str

    @classmethod
    def from_json(cls, raw: Any) -> Group:
        raw = _object(raw, "a group")
        return cls(id=_id(raw, "a group"), name=_text(raw, "name"))


@dataclass(frozen=True, slots=True)
class TicketField:
    """A ticket field and the tags that belong to it.

    Adding such a tag sets the field and removing it empties the field
    (support.zendesk.com, articles 4408881943194 and 4408825689882).
    """

    id: int
    title: str
    type: str  # tagger (a dropdown), multiselect, checkbox, text, …
    tags: frozenset[str]
    active: bool = True

    @classmethod
    def from_json(cls, raw: Any) -> TicketField:
        raw = _object(raw, "a ticket field")
        options = raw.get("custom_field_options")
        values = [o.get("value") for o in options if isinstance(o, dict)] if isinstance(options, list) else []
        owned = (*values, raw.get("tag"))
        return cls(
            id=_id(raw, "a ticket field"),
            title=_text(raw, "title"),
            type=_text(raw, "type"),
            tags=frozenset(normalise(tag) for tag in owned if isinstance(tag, str) and tag),
            active=raw.get("active") is not False,
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """A trigger or an automation, and the tags it names."""

    id: int
    title: str
    active: bool
    tags: frozenset[str]  # in its conditions or its actions
    url: str  # as sent; for people, never called

    @classmethod
    def from_json(cls, raw: Any) -> Rule:
        raw = _object(raw, "a rule")
        return cls(
            id=_id(raw, "a rule"),
            title=_text(raw, "title"),
            active=raw.get("active") is not False,
            tags=_tags_of([*_actions(raw.get("actions")), *_conditions(raw)]),
            url=_text(raw, "url"),
        )


@dataclass(frozen=True, slots=True)
class Audit:
    """One update of a ticket's, as its history tells it; none of the words that were written."""

    created_at: str  # as sent
    custom: Mapping[str, Any]  # the metadata that came with the update
    has_comment: bool

    @classmethod
    def from_json(cls, raw: Any) -> Audit:
        raw = _object(raw, "an audit")
        if not isinstance(raw.get("created_at"), str):
            raise _unexpected("an audit", raw)
        metadata, events = raw.get("metadata"), raw.get("events")
        custom = metadata.get("custom") if isinstance(metadata, dict) else None
        types = [event.get("type") for event in events if isinstance(event, dict)] if events else []
        return cls(raw["created_at"], custom if isinstance(custom, dict) else {}, "Comment" in types)


def _actions(raw: Any) -> Iterator[Action]:
    """Actions and conditions alike: both name a field and a value."""
    for part in raw if isinstance(raw, list) else ():
        if isinstance(part, dict) and isinstance(part.get("field"), str):
            yield Action(part["field"], part.get("value"))


def _conditions(raw: Mapping[str, Any]) -> Iterator[Action]:
    """Those that must all hold and those of which one must, alike."""
    conditions = raw.get("conditions")
    for some in conditions.values() if isinstance(conditions, dict) else ():
        yield from _actions(some)


def _tags_of(parts: Iterable[Action]) -> frozenset[str]:
    return frozenset().union(*(part.tags for part in parts))


def _tags_in(value: Any) -> frozenset[str]:
    """Tags come as one text parted by blanks, in places as a list."""
    words = value if isinstance(value, list) else [value]
    return frozenset(normalise(tag) for word in words if isinstance(word, str) for tag in word.split())


def _object(raw: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(raw, dict):
        raise _unexpected(what, raw)
    return raw


def _id(raw: Mapping[str, Any], what: str) -> int:
    id_ = raw.get("id")
    if type(id_) is not int:
        raise _unexpected(what, raw)
    return id_


def _text(raw: Mapping[str, Any], key: str) -> str:
    value = raw.get(key)
    return value if isinstance(value, str) else ""


def _unexpected(what: str, raw: Any) -> UnexpectedAnswer:
    # Names of keys only: the values may be people's words.
    seen = ", ".join(sorted(map(str, raw))[:20]) if isinstance(raw, dict) else type(raw).__name__
    return UnexpectedAnswer(f"Zendesk sent {what} in a shape this program does not understand ({seen}).")
