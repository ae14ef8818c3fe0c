"""Closed tickets: what Zendesk allows to change in them, and the sentence where it does not.

An admin may allow it (support.zendesk.com, article 7335734335258). It is nowhere to be read whether one has,
so one closed ticket is tried before the others (`jobs.guards.probes`).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from tagmanager.account.status import AccountStatus, account_status
from tagmanager.ticket_change import TicketChange, TicketSnapshot

#: The kinds of tickets that go only after a probe, and that are counted.
CLOSED, ARCHIVED = "closed", "archived"
#: The role of Zendesk's that may change closed tickets.
ADMIN = "admin"
#: How long after it was closed Zendesk archives a ticket; test accounts do so sooner (article 4408887617050).
ARCHIVED_AFTER = timedelta(days=120)
#: The fields of `tickets.SETTABLE` that can be changed on a closed ticket (article 7335734335258).
CHANGEABLE = frozenset({"priority"})

HOW_TO_ALLOW = (
    "Closed tickets can be changed only where an admin has allowed it, in Zendesk's Admin Center under "
    "Objects and rules, Tickets, Settings: “Allow admins to modify specific fields on a closed ticket”."
)


def kinds_of(ticket: TicketSnapshot, now: datetime) -> tuple[str, ...]:
    """What a ticket counts as. Zendesk does not say what is archived: those that surely are count as such."""
    if not ticket.is_closed:
        return ()
    long_ago = (now - ARCHIVED_AFTER).strftime("%Y-%m-%dT%H:%M:%SZ")  # as Zendesk writes it, so texts compare
    return (CLOSED, ARCHIVED) if ticket.updated_at < long_ago else (CLOSED,)


def why_not(change: TicketChange) -> str:
    """Why this change cannot be made on a closed ticket, whatever the account allows; "" when it may be."""
    if change.comment:
        return "The ticket is closed, and nobody can write on a closed ticket."
    if fixed := change.fields.keys() - CHANGEABLE:
        names = ", ".join(sorted(name.removesuffix("_id") for name in fixed))
        return f"The ticket is closed, and of a closed ticket the {names} cannot be changed by anybody."
    return ""


def why_withheld(text: str) -> str:
    """A closed ticket was refused with these words: what that means for all, and what to do."""
    refused = f"Zendesk refused the one closed ticket that was tried first: “{text}”."
    return f"{refused} {why_not_as(account_status()) or HOW_TO_ALLOW}"


def why_not_as(known: AccountStatus) -> str:
    """Why the connected user cannot change closed tickets, whatever the account allows; "" when they may."""
    if known.role in ("", ADMIN):
        return ""
    return (
        f"{known.user}, as whom Tag Manager is connected, has the role {known.role} in Zendesk, and only "
        "admins can change closed tickets."
    )
