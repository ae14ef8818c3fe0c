"""Changes of fields: what shows them, and what takes them back."""

from __future__ import annotations

import json

import pytest

from jobs.work import PreviousResult, Unchanged
from tagmanager.changes import undo
from tagmanager.ticket_change import FieldValue, TicketChange, TicketSnapshot
from zendesk import Ticket

SOLVED_HIGH = TicketChange(frozenset("b"), fields={"status": "solved", "priority": "high"})


def ticket(*tags: str, **fields: FieldValue) -> TicketSnapshot:
    return TicketSnapshot(1, frozenset(tags), "open", "2026-01-01T00:00:00Z", fields)


def test_a_change_and_a_ticket_come_back_from_storage_as_they_were() -> None:
    seen = ticket("a", status="open", assignee_id=None)
    assert TicketSnapshot.from_json(1, seen.to_json()) == seen
    assert TicketChange.from_json(SOLVED_HIGH.to_json()) == SOLVED_HIGH


def test_of_custom_fields_a_ticket_keeps_options_and_ticks_and_no_word_that_somebody_wrote() -> None:
    values = {1: "Plan_Team", 2: True, 3: "my dog is ill", 4: ["feature_login"], 5: 12, 6: "", 7: None}
    raw = {
        "id": 9, "status": "open", "updated_at": "2026-01-01", "tags": ["plan_team", "feature_login"],
        "custom_fields": [{"id": number, "value": value} for number, value in values.items()],
    }  # fmt: skip
    seen = TicketSnapshot.from_ticket(Ticket.from_json(raw), custom=[*values, 8])
    assert seen.custom == {1: "plan_team", 2: True} | dict.fromkeys(range(3, 9))
    assert "dog" not in json.dumps(seen.to_json())
    assert TicketSnapshot.from_json(9, json.loads(json.dumps(seen.to_json()))) == seen
    assert "custom" not in TicketSnapshot.from_ticket(Ticket.from_json(raw)).to_json()


@pytest.mark.parametrize("sent", [None, "x", [None, 7, {"id": 1}], {}])
def test_a_ticket_without_custom_fields_holds_nothing_in_them(sent: object) -> None:
    raw = {"id": 9, "status": "open", "updated_at": "now", "tags": [], "custom_fields": sent}
    assert TicketSnapshot.from_ticket(Ticket.from_json(raw), custom=[1]).custom == {1: None}


def test_a_change_shows_only_when_all_of_it_is_there() -> None:
    assert SOLVED_HIGH.is_shown_by(ticket("b", status="solved", priority="high"))
    assert not SOLVED_HIGH.is_shown_by(ticket("b", status="solved", priority=None))
    assert not SOLVED_HIGH.is_shown_by(ticket(status="solved", priority="high"))


def test_undo_puts_back_each_field_as_it_was_on_that_ticket() -> None:
    earlier = PreviousResult(
        ticket("a", status="open", priority=None).to_json(), SOLVED_HIGH.to_json(), "changed"
    )
    now = ticket("a", "b", status="solved", priority="high")
    assert undo.change_for(now, earlier) == TicketChange(
        remove=frozenset("b"), fields={"status": "open", "priority": None}
    )
    assert undo.touched_since(now, earlier) == ""


def test_undo_leaves_a_field_alone_that_someone_has_set_since_and_says_so() -> None:
    earlier = PreviousResult(ticket(status="open", priority=None).to_json(), SOLVED_HIGH.to_json(), "changed")
    now = ticket("b", status="solved", priority="urgent")
    assert undo.change_for(now, earlier) == TicketChange(remove=frozenset("b"), fields={"status": "open"})
    note = "Since then someone changed the priority; that was left alone."
    assert undo.touched_since(now, earlier) == note
    both = ticket(status="open", priority="urgent")
    note = "Since then someone removed b and changed the status, the priority; that was left alone."
    assert undo.change_for(both, earlier) == Unchanged("touched_since", note)
