"""Users, their roles and groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zendesk.records.json_values import json_id, json_object, json_text

LIGHT_AGENT = 1  # role_type (developer.zendesk.com, users)


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
    is_restricted: bool = False  # sees only some of the tickets
    ticket_restriction: str | None = None  # which ones: assigned, groups, organization, requested
    custom_role_id: int | None = None
    time_zone: str = ""

    @classmethod
    def from_json(cls, raw: Any) -> User:
        raw = json_object(raw, "a user")
        restriction = raw.get("ticket_restriction")
        return cls(
            id=raw.get("id") if type(raw.get("id")) is int else None,
            name=json_text(raw, "name"),
            email=json_text(raw, "email"),
            role=json_text(raw, "role"),
            active=raw.get("active") is not False,
            suspended=raw.get("suspended") is True,
            is_light_agent=raw.get("role_type") == LIGHT_AGENT,
            is_restricted=raw.get("restricted_agent") is True or bool(restriction),
            ticket_restriction=restriction if isinstance(restriction, str) else None,
            custom_role_id=raw.get("custom_role_id") if type(raw.get("custom_role_id")) is int else None,
            time_zone=json_text(raw, "iana_time_zone") or json_text(raw, "time_zone"),
        )


@dataclass(frozen=True, slots=True)
class CustomRole:
    id: int
    name: str
    may_edit_tags: bool
    is_light_agent: bool
    ticket_access: str  # "all", or which of the tickets

    @classmethod
    def from_json(cls, raw: Any) -> CustomRole:
        raw = json_object(raw, "a role")
        rights = json_object(raw.get("configuration"), "a role's configuration")
        return cls(
            id=json_id(raw, "a role"),
            name=json_text(raw, "name"),
            may_edit_tags=rights.get("ticket_tag_editing") is not False,
            is_light_agent=rights.get("light_agent") is True,
            ticket_access=json_text(rights, "ticket_access"),
        )


@dataclass(frozen=True, slots=True)
class Group:
    """A group of agents."""

    id: int
    name: str

    @classmethod
    def from_json(cls, raw: Any) -> Group:
        raw = json_object(raw, "a group")
        return cls(id=json_id(raw, "a group"), name=json_text(raw, "name"))


@dataclass(frozen=True, slots=True)
class Brand:
    id: int
    name: str
    active: bool = True

    @classmethod
    def from_json(cls, raw: Any) -> Brand:
        raw = json_object(raw, "a brand")
        return cls(json_id(raw, "a brand"), json_text(raw, "name"), raw.get("active") is not False)


def brand_id_from_json(raw: Any) -> int:
    """The brand of an agent's membership in it."""
    raw = json_object(raw, "a brand membership")
    return json_id({"id": raw.get("brand_id")}, "a brand membership")
