"""What can be done to a closed ticket, and what it counts as."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tagmanager.account.status import AccountStatus
from tagmanager.changes import closed_tickets
from tagmanager.ticket_change import TicketChange, TicketSnapshot

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (TicketChange(frozenset({"vip"}), fields={"priority": "high"}), ""),
        (
            TicketChange(fields={"status": "open", "group_id": 7}),
            "The ticket is closed, and of a closed ticket the group, status cannot be changed by anybody.",
        ),
        (
            TicketChange(frozenset({"vip"}), comment="public"),
            "The ticket is closed, and nobody can write on a closed ticket.",
        ),
    ],
)
def test_of_a_closed_ticket_tags_and_priority_can_be_changed(change: TicketChange, problem: str) -> None:
    assert closed_tickets.why_not(change) == problem


@pytest.mark.parametrize(
    ("status", "updated_at", "kinds"),
    [
        ("solved", "2020-01-01T00:00:00Z", ()),
        ("closed", "2026-07-26T12:00:01Z", ("closed",)),
        ("closed", "2026-07-26T12:00:00Z", ("closed",)),
        ("closed", "2026-07-26T11:59:59Z", ("closed", "archived")),
    ],
)
def test_what_was_closed_more_than_120_days_ago_is_archived(
    status: str, updated_at: str, kinds: tuple[str, ...]
) -> None:
    ticket = TicketSnapshot(1, frozenset(), status, updated_at)
    assert closed_tickets.kinds_of(ticket, datetime(2026, 11, 23, 12, tzinfo=UTC)) == kinds


NO_ADMIN = (
    "Sam, as whom Tag Manager is connected, has the role agent in Zendesk, and only admins can change closed "
    "tickets."
)


@pytest.mark.parametrize(
    ("role", "why"),
    [("agent", NO_ADMIN), ("admin", closed_tickets.HOW_TO_ALLOW), ("", closed_tickets.HOW_TO_ALLOW)],
)
def test_a_refusal_is_quoted_and_then_it_is_said_what_would_allow_it(
    monkeypatch: pytest.MonkeyPatch, role: str, why: str
) -> None:
    known = AccountStatus(user="Sam", role=role)
    monkeypatch.setattr(closed_tickets, "account_status", lambda: known)
    assert closed_tickets.why_withheld("Status: closed") == (
        f"Zendesk refused the one closed ticket that was tried first: “Status: closed”. {why}"
    )
    assert closed_tickets.why_not_as(known) == (NO_ADMIN if role == "agent" else "")
