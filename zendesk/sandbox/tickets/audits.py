"""The history of tickets: comments, metadata sent with updates, and what updates did to tags and fields.

Of updates of tags or fields alone only the latest are kept: a million of them would fill the memory.
"""

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

from zendesk.sandbox import timestamps
from zendesk.sandbox.account import people

_FIRST_ID = 6_164_000_000_000
#: How many updates without a comment, metadata or a macro are kept, of all tickets together.
CHANGES_KEPT = 50_000


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One event of an audit: the values of a field before and after it."""

    field: str
    before: Any
    after: Any
    by_trigger: bool = False

    def to_json(self, event_id: int) -> dict[str, Any]:
        event = {
            "id": event_id,
            "type": "Change",
            "field_name": self.field,
            "value": self.after,
            "previous_value": self.before,
        }
        if self.by_trigger:
            event["via"] = {"channel": "rule", "source": {"from": {}, "to": {}, "rel": "trigger"}}
        return event


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
    changes: tuple[FieldChange, ...] = ()
    channel: str = "api"

    @property
    def is_change_alone(self) -> bool:
        return not (self.comment or self.custom or self.macro_id)

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
            "events": [
                *(event for event in (self.comment_to_json(), self._macro()) if event),
                *(change.to_json(self.id + 3 + place) for place, change in enumerate(self.changes)),
            ],
            "via": {"channel": self.channel, "source": {"from": {}, "to": {}, "rel": None}},
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
        self._changes: deque[int] = deque()  # the tickets of audits that are changes alone, oldest first
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
        changes: tuple[FieldChange, ...] = (),
        channel: str = "api",
    ) -> Comment | None:
        """Record an update and return its comment, if any; `with_metadata` False drops its metadata."""
        comment = Comment.from_json(change["comment"]) if change.get("comment") else None
        metadata = change.get("metadata")
        custom = metadata.get("custom") if with_metadata and isinstance(metadata, Mapping) else None
        macro = change.get("macro_id")
        number = int(macro) if macro else None
        audit = Audit(self._next, at, by, comment, custom or {}, number, changes, channel)
        self._next += 10 + len(changes)
        self._by_ticket[ticket_id].append(audit)
        if audit.is_change_alone:
            self._changes.append(ticket_id)
            if len(self._changes) > CHANGES_KEPT:
                self._forget_change(self._changes.popleft())
        return comment

    def _forget_change(self, ticket_id: int) -> None:
        held = self._by_ticket[ticket_id]
        held.remove(next(audit for audit in held if audit.is_change_alone))
        if not held:
            del self._by_ticket[ticket_id]


def creation_audit(ticket_id: int, at: float, requester_id: int, subject: str) -> Audit:
    """The first audit of every ticket: the customer's request."""
    return Audit(_FIRST_ID - 10 * ticket_id, at, requester_id, Comment(escape(subject), True))
