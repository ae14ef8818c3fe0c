"""Taking a job back, ticket by ticket: the tags and fields it really changed, and nothing else.

Of a ticket that was sent and is unverified, what looks like the job's change counts as such.
"""

from __future__ import annotations

from jobs.states import Outcome
from jobs.work import PreviousResult, Skipped, Unchanged
from tagmanager.macros.comments import INTERNAL, PUBLIC
from tagmanager.ticket_change import SETTABLE, TicketChange, TicketSnapshot
from tagmanager.tools.base import Answer

#: By who sees the comment that was posted.
STAYS = {
    PUBLIC: "The public reply and the mail that it sent stay.",
    INTERNAL: "The internal note stays.",
}


def change_for(ticket: TicketSnapshot, earlier: PreviousResult | None) -> Answer:
    """What takes back what the earlier job did to this ticket, as far as nobody has done so since."""
    if earlier is None or earlier.change is None or earlier.before is None:
        return Skipped("not_changed", "The job that is undone did not change this ticket.")
    done = TicketChange.from_json(earlier.change)
    before = TicketSnapshot.from_json(ticket.id, earlier.before)
    back = TicketChange(
        done.remove - ticket.tags,
        done.add & ticket.tags,
        exact=done.exact,
        fields={
            name: before.fields.get(name)
            for name, value in done.fields.items()
            if ticket.fields.get(name) == value
        },
    )
    return back or Unchanged(*_remark_on(ticket, earlier))


def note_on(ticket: TicketSnapshot, earlier: PreviousResult | None) -> tuple[str, str]:
    """Code and sentence of what a person should know about a ticket taken back; both "" for nothing."""
    if earlier is not None and earlier.outcome == Outcome.UNVERIFIED:
        return "unverified", (
            "Whether the job changed this ticket was never learned: what looks like its change is taken back."
        )
    return _remark_on(ticket, earlier)


def _remark_on(ticket: TicketSnapshot, earlier: PreviousResult | None) -> tuple[str, str]:
    touched, stays = touched_since(ticket, earlier), _stays(earlier)
    reason = "touched_since" if touched else "comment_stays" if stays else ""
    return reason, " ".join(filter(None, (touched, stays)))


def _stays(earlier: PreviousResult | None) -> str:
    """A sentence on what the earlier job did to the ticket that nobody can take back; "" for nothing."""
    if earlier is None or earlier.change is None:
        return ""
    return STAYS.get(TicketChange.from_json(earlier.change).comment, "")


def touched_since(ticket: TicketSnapshot, earlier: PreviousResult | None) -> str:
    """A sentence on what others did to tags and fields after the job; "" when they are as it left them."""
    if earlier is None or earlier.change is None or earlier.before is None:
        return ""
    done = TicketChange.from_json(earlier.change)
    left = done.applied_to(frozenset(earlier.before["tags"]))
    ours = {done.guard}  # whether it was taken off yet says nothing of others
    parts = []
    if added := sorted(ticket.tags - left - ours):
        parts.append(f"added {', '.join(added)}")
    if removed := sorted(left - ticket.tags - ours):
        parts.append(f"removed {', '.join(removed)}")
    others = [SETTABLE[name] for name, value in done.fields.items() if ticket.fields.get(name) != value]
    if others:
        parts.append(f"changed the {', the '.join(others)}")
    return f"Since then someone {' and '.join(parts)}; that was left alone." if parts else ""
