"""What happened to tickets, update by update: their comments, and the notes that came with an update.

An update of tags or fields alone leaves nothing here: a million of them would fill the memory, and whoever
reads audits looks for comments and notes.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from zendesk.sandbox import timestamps
from zendesk.sandbox.account import people

_FIRST_ID = 6_164_000_000_000


@dataclass(frozen=True, slots=True)
class Comment:
    html: str
    public: bool

    @classmethod
    def from_json(cls, given: Any) -> "Comment | None":
        """As an update brings it; None where it says nothing."""
        if not isinstance(given, Mapping):
            given = {"body": given}
        text = given.get("html_body") or escape(str(given.get("body") or ""), quote=False)
        # `public` has no fixed default; this account's is the one that mails the customer.
        return cls(text, bool(given.get("public", True))) if text else None


@dataclass(frozen=True, slots=True)
class Audit:
    """One update of a ticket."""

    id: int
    at: float
    author_id: int
    comment: Comment | None = None
    custom: Mapping[str, Any] = field(default_factory=dict)
    macro_id: int | None = None

    def to_json(self, ticket_id: int) -> dict[str, Any]:
        return {
            "id": self.id,
            "ticket_id": ticket_id,
            "created_at": timestamps.iso(self.at),
            "author_id": self.author_id,
            "metadata": {
                "system": {
                    "client": "demo",
                    "ip_address": "127.0.0.1",
                    "location": "",
                    "latitude": 0.0,
                    "longitude": 0.0,
                },
                "custom": dict(self.custom),
            },
            "events": [event for event in (self.comment_to_json(), self._macro()) if event],
            "via": {"channel": "api", "source": {"from": {}, "to": {}, "rel": None}},
        }

    def comment_to_json(self) -> dict[str, Any] | None:
        if self.comment is None:
            return None
        return {
            "id": self.id + 1,
            "type": "Comment",
            "author_id": self.author_id,
            "body": self.comment.html,
            "html_body": self.comment.html,
            "plain_body": self.comment.html,
            "public": self.comment.public,
            "attachments": [],
            "audit_id": self.id,
            "created_at": timestamps.iso(self.at),
        }

    def _macro(self) -> dict[str, Any] | None:
        if self.macro_id is None:
            return None
        return {"id": self.id + 2, "type": "AgentMacroReference", "macro_id": str(self.macro_id)}


class Audits:
    """By ticket number, oldest first."""

    def __init__(self) -> None:
        self._of: dict[int, list[Audit]] = defaultdict(list)
        self._next = _FIRST_ID

    def of(self, ticket_id: int) -> list[Audit]:
        return self._of.get(ticket_id, [])

    def comments(self, ticket_id: int) -> list[Comment]:
        return [audit.comment for audit in self.of(ticket_id) if audit.comment is not None]

    def add(
        self,
        ticket_id: int,
        change: Mapping[str, Any],
        *,
        at: float,
        by: int = people.ADMIN_ID,
        notes: bool = True,
    ) -> Comment | None:
        """Write an update down, with the comment that it makes; without `notes` its metadata is dropped."""
        comment = Comment.from_json(change["comment"]) if change.get("comment") else None
        metadata = change.get("metadata")
        custom = metadata.get("custom") if notes and isinstance(metadata, Mapping) else None
        macro = change.get("macro_id")
        if comment or custom or macro:
            number = int(macro) if macro else None
            self._of[ticket_id].append(Audit(self._next, at, by, comment, custom or {}, number))
            self._next += 10
        return comment


def creation_audit(ticket_id: int, at: float, requester_id: int, subject: str) -> Audit:
    """The first audit of every ticket: what the customer wrote."""
    return Audit(_FIRST_ID - 10 * ticket_id, at, requester_id, Comment(escape(subject), True))
