"""A ticket as jobs keep it, and what can be done to its tags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zendesk import MAX_TAGS_LENGTH, Ticket, fits

#: JSON as it is stored in an item's `before` and `change`.
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """A ticket as it was read: only what deciding about tags needs, no words of a customer."""

    id: int
    tags: frozenset[str]
    status: str
    updated_at: str  # as Zendesk sent it; goes back as `updated_stamp`

    @property
    def is_closed(self) -> bool:
        return self.status == "closed"

    def to_json(self) -> Json:
        return {"tags": sorted(self.tags), "status": self.status, "updated_at": self.updated_at}

    @classmethod
    def from_json(cls, ref: int, stored: Json) -> Seen:
        return cls(ref, frozenset(stored["tags"]), stored["status"], stored["updated_at"])

    @classmethod
    def from_ticket(cls, ticket: Ticket) -> Seen:
        return cls(ticket.id, ticket.tags, ticket.status, ticket.updated_at)


@dataclass(frozen=True, slots=True)
class TagChange:
    """Tags that a ticket really gains and really loses.

    `exact` says how: false, sent as add and remove, which leaves every other tag alone; true, sent as the
    whole list with the stamp of the reading, so that Zendesk refuses it if anybody touched the ticket since.
    """

    add: frozenset[str] = frozenset()
    remove: frozenset[str] = frozenset()
    exact: bool = False

    def __bool__(self) -> bool:
        return bool(self.add or self.remove)

    def applied_to(self, tags: frozenset[str]) -> frozenset[str]:
        return (tags - self.remove) | self.add

    def is_shown_by(self, tags: frozenset[str]) -> bool:
        return self.add <= tags and not self.remove & tags

    def to_json(self) -> Json:
        stored: Json = {}
        if self.add:
            stored["add"] = sorted(self.add)
        if self.remove:
            stored["remove"] = sorted(self.remove)
        if self.exact:
            stored["exact"] = True
        return stored

    @classmethod
    def from_json(cls, stored: Json) -> TagChange:
        return cls(
            frozenset(stored.get("add", ())), frozenset(stored.get("remove", ())), stored.get("exact", False)
        )


def too_long(tags: frozenset[str]) -> str:
    """Why a ticket cannot carry these tags together; "" when it can."""
    if fits(tags):
        return ""
    return (
        f"With this change its tags would be longer than {MAX_TAGS_LENGTH:,} characters together, the most "
        "that Zendesk keeps on a ticket. Remove some tags from it first."
    )
