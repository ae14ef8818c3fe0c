"""The history of tickets: comments, and the metadata sent with updates.

Updates of tags or fields alone are not recorded: a million of them would fill the memory, and readers of
audits look for comments and metadata.
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
        """Read the comment of an update; None if it has no text."""
        if not isinstance(given, Mapping):
            given = {"body": given}
        text = given.get("html_body") or escape(str(given.get("body") or ""), quote=False)
        # The default of `public` depends on the account; here it is the one that e-mails the customer.
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
    """All audits by ticket id, oldest first."""

    def __init__(self) -> None:
        self._by_ticket: dict[int, list[Audit]] = defaultdict(list)
        self._next = _FIRST_ID

    def for_ticket(self, ticket_id: int) -> list[Audit]:
        return self._by_ticket.get(ticket_id, [])

    def comments(self, ticket_id: int) -> list[Comment]:
        return [audit.comment for audit in self.for_ticket(ticket_id) if audit.comment is not None]

    def add(
        self,
        ticket_id: int,
        change: Mapping[str, Any],
        *,
        at: float,
        by: int = people.ADMIN_ID,
        with_metadata: bool = True,
    ) -> Comment | None:
        """Record an update and return its comment, if any; `with_metadata` False drops its metadata."""
        comment = Comment.from_json(change["comment"]) if change.get("comment") else None
        metadata = change.get("metadata")
        custom = metadata.get("custom") if with_metadata and isinstance(metadata, Mapping) else None
        macro = change.get("macro_id")
        if comment or custom or macro:
            number = int(macro) if macro else None
            self._by_ticket[ticket_id].append(Audit(self._next, at, by, comment, custom or {}, number))
            self._next += 10
        return comment


def creation_audit(ticket_id: int, at: float, requester_id: int, subject: str) -> Audit:
    """The first audit of every ticket: the customer's request."""
    return Audit(_FIRST_ID - 10 * ticket_id, at, requester_id, Comment(escape(subject), True))
