"""The ground truth for tests and benchmarks: every call received and every change made."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class Ledger:
    """Counts that only grow. They leave out `/_control` calls and edits made "by others"."""

    updates: Counter[int] = field(default_factory=Counter)
    """Updates carried out, by ticket id. Each would have run the triggers, even if it changed nothing."""
    sent: Counter[int] = field(default_factory=Counter)
    """Update items received in accepted calls, carried out or not, by ticket id."""
    fired: Counter[tuple[str, int]] = field(default_factory=Counter)
    """How often a trigger fired, by its title and the ticket id."""
    public_comments: Counter[int] = field(default_factory=Counter)
    internal_comments: Counter[int] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    """Calls received, refused ones included, by route: `"PUT tickets/update_many"`."""
    answers: Counter[int] = field(default_factory=Counter)
    """Answers sent, by HTTP status."""
    jobs: list[str] = field(default_factory=list)
    """Ids of the bulk jobs accepted, in order."""
    most_jobs_at_once: int = 0
    """The highest number of bulk jobs queued or running at the same time."""

    def to_json(self, *, tickets: bool) -> dict[str, Any]:
        """The totals; with `tickets`, the counts per ticket too."""
        totals: dict[str, Any] = {
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
            totals |= {
                "job_ids": self.jobs,
                "updates": self.updates,
                "sent": self.sent,
                "public_comments": self.public_comments,
                "internal_comments": self.internal_comments,
            }
        return totals
