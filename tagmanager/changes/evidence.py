"""What a ticket and its history show of a change that was sent, whatever Zendesk has said of it.

Only facts decide: the ticket as it is now, and the audits of its history (developer.zendesk.com, ticket
audits). Words in Zendesk's answers are in the language of the connected user.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from jobs.work import DeliveryEvidence, Result, Verdict
from tagmanager.ticket_change import TicketChange, TicketSnapshot, second_of
from zendesk import Audit, FieldChange

#: A ticket whose last change is not older than this when it is sent may have been changed again within the
#: same second, which its stamp would not show.
STAMP_TOLERANCE = timedelta(seconds=5)
#: The reason of a ticket that an AI agent holds.
AI_AGENT = "ai_agent"
HELD_BY_AI_AGENT = (
    "An AI agent holds the ticket, and nobody else can change it before the conversation is handed over to a "
    "person."
)


def explain(
    before: TicketSnapshot, now: TicketSnapshot | None, refusal: Result, *, closed_ones_can_change: bool
) -> Result:
    """Why Zendesk refused the ticket: gone, closed, held by an AI agent, or touched since it was read."""
    if now is None or now.status == "deleted":
        return Result(Verdict.MISSING)
    if now.is_closed and not closed_ones_can_change:
        return Result(Verdict.REFUSED, "closed", refusal.text)
    if now.is_ai_agent:
        return Result(Verdict.REFUSED, AI_AGENT, f"{HELD_BY_AI_AGENT} Zendesk: “{refusal.text}”")
    if not now.is_as(before):
        return Result(Verdict.LATER, "conflict", refusal.text)
    return Result(Verdict.REFUSED, refusal.code or "refused", refusal.text)


def is_untouched(before: TicketSnapshot, now: TicketSnapshot, sent_at: datetime) -> bool:
    """Whether the ticket proves by its stamp that nobody has changed it since it was read."""
    try:
        stamp = datetime.fromisoformat(before.updated_at)
        return now.is_as(before) and stamp < sent_at - STAMP_TOLERANCE
    except (TypeError, ValueError):  # no stamp at all, or one without a zone
        return False


def trace_in(
    history: Iterable[Audit], change: TicketChange, before: TicketSnapshot, now: TicketSnapshot
) -> DeliveryEvidence:
    """Whether the history says that what the ticket lacks of the change was made since it was read.

    An archived ticket has no history. An update through the API that names no change leaves open what it did:
    a trigger may have undone it within the same update.
    """
    audits = list(history)
    read_at, times = second_of(before.updated_at), [second_of(audit.created_at) for audit in audits]
    if read_at is None or None in times:
        return DeliveryEvidence.UNCLEAR
    since = [audit for audit, at in zip(audits, times, strict=True) if at and at > read_at]
    made = [part for audit in since for part in audit.changes]
    # Stamps have whole seconds. Of the second of the reading only what fits the ticket as it was read counts.
    at_reading = [audit for audit, at in zip(audits, times, strict=True) if at == read_at]
    made += [part for audit in at_reading for part in audit.changes if _follows(part, before)]
    missing = change.missing_in(now)
    added = frozenset().union(*(part.added for part in made))
    removed = frozenset().union(*(part.removed for part in made))
    values = {(part.field, part.after) for part in made}
    wanted = {(name, "" if value is None else str(value)) for name, value in missing.fields.items()}
    # What an audit shows of a checkbox's value is not documented: that it changed has to do.
    touched = {str(number) for number in missing.custom} <= {part.field for part in made}
    if missing.add <= added and missing.remove <= removed and wanted <= values and touched:
        return DeliveryEvidence.MADE
    if not audits or any(_names_nothing(audit) for audit in since):
        return DeliveryEvidence.UNCLEAR
    return DeliveryEvidence.NOT_MADE


def _follows(part: FieldChange, before: TicketSnapshot) -> bool:
    """Whether the ticket as it was read may have become so by this change."""
    if part.field == "tags":
        return part.removed <= before.tags and part.added.isdisjoint(before.tags)
    value = before.fields.get(part.field)
    return part.before == ("" if value is None else str(value))


def _names_nothing(audit: Audit) -> bool:
    return audit.channel in ("", "api") and not audit.changes and not audit.has_comment
