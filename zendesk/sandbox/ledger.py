"""What was really done to the demo Zendesk: the other side's account, for tests and benchmarks to compare."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Ledger:
    """Counts that only grow. Controls (`/_control`) and edits made "by others" are not in it."""

    updates: Counter[int] = field(default_factory=Counter)
    """Ticket number to updates carried out: each would have run the triggers, also where nothing changed."""
    sent: Counter[int] = field(default_factory=Counter)
    """Ticket number to update items received in accepted calls, carried out or not."""
    fired: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Title of a trigger and ticket number to how often it acted."""
    public_comments: Counter[int] = field(default_factory=Counter)
    internal_comments: Counter[int] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    """`"PUT tickets/update_many"` to calls received, refused ones included."""
    answers: Counter[int] = field(default_factory=Counter)
    """HTTP status to answers given."""
    jobs: list[str] = field(default_factory=list)
    """Ids of the bulk jobs made, in order."""
    most_jobs_at_once: int = 0
    """The most bulk jobs that were queued or running at one moment."""

    def to_json(self, *, tickets: bool) -> dict[str, Any]:
        """Totals, and the counts per ticket if `tickets`."""
        account: dict[str, Any] = {
            "calls": dict(self.calls),
            "answers": {str(status): count for status, count in self.answers.items()},
            "jobs": len(self.jobs),
            "most_jobs_at_once": self.most_jobs_at_once,
            "tickets_updated": len(self.updates),
            "updates_made": self.updates.total(),
            "items_sent": self.sent.total(),
            "most_updates_of_one_ticket": max(self.updates.values(), default=0),
            "public_comments_made": self.public_comments.total(),
            "internal_comments_made": self.internal_comments.total(),
        }
        if tickets:
            account |= {
                "job_ids": self.jobs,
                "updates": self.updates,
                "sent": self.sent,
                "public_comments": self.public_comments,
                "internal_comments": self.internal_comments,
            }
        return account
