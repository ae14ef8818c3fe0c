"""Tickets that an AI agent handles: read-only until a person takes over.

Source: support.zendesk.com, article 9204149016346. What Zendesk answers to an update of one is not
documented, so they are counted and tried like any other, unless `TicketFilter.no_ai_agent` leaves them out.
"""

from __future__ import annotations

from tagmanager.ticket_change import TicketSnapshot

#: The kind as which `Job.kinds` counts them; the history of a job shows it as it stands.
AI_AGENT = "AI agent"


def kinds_of(ticket: TicketSnapshot) -> tuple[str, ...]:
    return (AI_AGENT,) if ticket.is_ai_agent else ()
