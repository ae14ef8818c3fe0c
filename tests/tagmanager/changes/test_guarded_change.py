"""Whether a change gets the guard tag, and whether that tag comes off: one ticket, no job."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from jobs.work import PreviousResult, Skipped, Unchanged
from tagmanager.changes import guard_tag
from tagmanager.changes.guard_tag import Condition, guarded, unguarded, why_not_guarded
from tagmanager.ticket_change import TicketChange, TicketSnapshot

GUARD = "bulk_update"
ADD = TicketChange(frozenset({"new"}))


def ticket(*tags: str, status: str = "open") -> TicketSnapshot:
    return TicketSnapshot(7, frozenset(tags), status, "2026-01-01T00:00:00Z")


def earlier(outcome: str, guard: str = GUARD) -> PreviousResult:
    return PreviousResult(ticket().to_json(), replace(ADD, guard=guard).to_json(), outcome)


def test_a_change_takes_the_guard_along() -> None:
    assert guarded(ADD, ticket("old"), None, GUARD) == replace(ADD, guard=GUARD)


def test_a_change_that_adds_the_tag_itself_cannot_be_guarded_by_it() -> None:
    assert guarded(TicketChange(frozenset({GUARD})), ticket(), None, GUARD) == Skipped(
        "guard_tag", f"The change itself adds {GUARD}, so that tag cannot guard it."
    )


def test_a_change_that_removes_the_tag_keeps_it() -> None:
    removes = TicketChange(remove=frozenset({GUARD, "old"}))
    assert guarded(removes, ticket(GUARD, "old"), None, GUARD) == TicketChange(remove=frozenset({"old"}))
    assert guarded(TicketChange(remove=frozenset({GUARD})), ticket(GUARD), None, GUARD) == Unchanged()


@pytest.mark.parametrize(
    ("before", "is_ours"),
    [
        (None, False),
        (earlier("changed"), True),
        (earlier("unverified"), True),
        (earlier("failed"), False),
        (earlier("planned"), False),
        (earlier("changed", "another"), False),
        (PreviousResult(None, None, "changed"), False),
    ],
)
def test_a_guard_tag_that_is_there_is_the_jobs_own_only_where_it_was_sent(
    before: PreviousResult | None, is_ours: bool
) -> None:
    held = replace(ADD, guard=GUARD, is_guard_held=True)
    assert guarded(ADD, ticket(GUARD), before, GUARD) == (held if is_ours else ADD)
    off = TicketChange(remove=frozenset({GUARD}))
    not_ours = Unchanged(
        "not_ours", "The job did not put the guard tag on this ticket, so it stays as it is."
    )
    assert unguarded(ticket(GUARD), before, GUARD) == (off if is_ours else not_ours)
    assert unguarded(ticket(), before, GUARD) == (Unchanged() if is_ours else not_ours)


def test_a_guard_tag_that_is_held_is_not_among_what_is_added_and_stays() -> None:
    held = replace(ADD, remove=frozenset({"old"}), guard=GUARD, is_guard_held=True)
    assert held.to_json() == {"add": ["new"], "remove": ["old"], "guard": GUARD}
    assert TicketChange.from_json(held.to_json()) == held
    assert held.applied_to(frozenset({GUARD, "old"})) == {GUARD, "new"}
    fresh = replace(ADD, guard=GUARD)
    assert fresh.to_json() == {"add": [GUARD, "new"], "guard": GUARD}
    assert TicketChange.from_json(fresh.to_json()) == fresh


def test_no_trigger_runs_on_a_closed_ticket_so_it_needs_no_guard() -> None:
    assert guarded(ADD, ticket(status="closed"), None, GUARD) == ADD


def test_the_guard_counts_among_the_tags_that_a_ticket_can_carry() -> None:
    rest = 5096 - len(f"new {GUARD} ")
    assert guarded(ADD, ticket("x" * rest), None, GUARD) == replace(ADD, guard=GUARD)
    skipped = guarded(ADD, ticket("x" * (rest + 1)), None, GUARD)
    assert isinstance(skipped, Skipped)
    assert (skipped.reason, skipped.detail[-25:]) == ("too_many_tags", "The guard tag counts too.")


@pytest.mark.parametrize(
    "params",
    [{name: ["other", GUARD]} for name in guard_tag.NAMED_IN]
    + [{"pairs": {GUARD: "b"}}, {"pairs": {"a": GUARD}}],
)
def test_a_job_that_names_the_tag_is_refused_wherever_it_does(params: dict[str, Any]) -> None:
    refused = (
        "The change itself adds or removes bulk_update, so that tag cannot guard it. Take another, such as "
        "bulk_update."
    )
    assert why_not_guarded(GUARD, params) == refused
    assert why_not_guarded(GUARD, {}, [{"add": ["a"]}, params]) == refused
    assert why_not_guarded("another", params, [params]) == ""


def test_what_is_no_list_of_tags_names_none() -> None:
    assert why_not_guarded(GUARD, {"old": GUARD, "pairs": [GUARD], "title": [GUARD]}) == ""


def test_the_condition_can_be_copied_into_zendesk() -> None:
    condition = Condition(GUARD)
    assert condition.words == "Ticket > Tags · Contains none of the following · bulk_update"
    assert json.loads(condition.json) == {
        "field": "current_tags", "operator": "not_includes", "value": "bulk_update",
    }  # fmt: skip
