"""Tickets that an AI agent holds: shown, found by search, and mostly read-only."""

from typing import Any

import pytest

from tests.sandbox.conftest import Start, Zendesk


def held(zendesk: Zendesk) -> list[int]:
    ids: list[int] = sorted(zendesk.sandbox.store.ids[slot] for slot in zendesk.sandbox.store.ai_agent)
    return ids


def result_of(zendesk: Zendesk, ids: list[int]) -> Any:
    job = zendesk.tag(ids, additional_tags=["brand-new"])
    return zendesk.job(job)["results"]


def test_they_are_spread_open_tickets_and_searches_find_them(start: Start) -> None:
    zendesk = start(tickets=300, ai_agent_tickets=5)
    tickets = zendesk.read("tickets/show_many.json", ids=",".join(map(str, held(zendesk))))["tickets"]
    assert [(t["status"], t["support_type"]) for t in tickets] == [("open", "ai_agent")] * 5
    found = zendesk.read("search.json", query="type:ticket support_type:ai_agent")["results"]
    assert sorted(ticket["id"] for ticket in found) == held(zendesk)
    assert zendesk.read("search/count.json", query="type:ticket support_type:agent")["count"] == 295


def test_an_account_without_any_does_not_show_the_key(start: Start) -> None:
    zendesk = start(tickets=20)
    assert "support_type" not in zendesk.read("tickets.json")["tickets"][0]


@pytest.mark.parametrize(
    ("updates", "code", "is_tagged"),
    [("refused", "TicketUpdateFailed", False), ("ignored", None, False), ("accepted", None, True)],
)
def test_an_update_is_refused_ignored_or_accepted(
    start: Start, updates: str, code: str | None, *, is_tagged: bool
) -> None:
    zendesk = start(tickets=300, ai_agent_tickets=1, ai_agent_updates=updates, scale=0.0)
    (ref,) = held(zendesk)
    (result,) = result_of(zendesk, [ref])
    assert (result.get("error"), "brand-new" in zendesk.sandbox.ticket(ref).tags) == (code, is_tagged)
    assert zendesk.sandbox.ledger.updates[ref] == int(is_tagged)


def test_a_control_hands_a_ticket_over_and_escalates_it(start: Start) -> None:
    zendesk = start(tickets=300, scale=0.0)
    ref = zendesk.ids("open", count=1)[0]
    zendesk.call("POST", "/_control/tickets", json=[{"id": ref, "ai_agent": True}])
    assert result_of(zendesk, [ref])[0]["error"] == "TicketUpdateFailed"
    zendesk.call("POST", "/_control/tickets", json=[{"id": ref, "ai_agent": False}])
    assert "error" not in result_of(zendesk, [ref])[0]
