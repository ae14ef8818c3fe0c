"""Fields that an update moves along with others, and values that a ticket may not take back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.conftest import Start, Zendesk
from zendesk import sandbox as zd

SHOWN = ("status", "custom_status_id", "type", "problem_id", "due_at", "priority", "group_id", "assignee_id")
DUE = "2026-12-24T12:00:00Z"


def shown(zendesk: Zendesk, number: int) -> dict[str, Any]:
    ticket = zendesk.read(f"tickets/{number}.json")["ticket"]
    return {name: ticket[name] for name in SHOWN}


def default_of(zendesk: Zendesk, category: str) -> int:
    listed = zendesk.read("custom_statuses.json")["custom_statuses"]
    found: list[int] = [
        each["id"] for each in listed if each["status_category"] == category and each["default"]
    ]
    assert len(found) == 1
    return found[0]


def update(zendesk: Zendesk, number: int, **change: Any) -> list[dict[str, Any]]:
    results: list[dict[str, Any]] = zendesk.job(zendesk.tag([number], **change))["results"]
    return results


def test_a_status_assigns_the_default_of_its_category_and_a_custom_one_its_category(zendesk: Zendesk) -> None:
    number = zendesk.ids("open", count=1)[0]
    assert shown(zendesk, number)["custom_status_id"] == default_of(zendesk, "open")
    update(zendesk, number, custom_status_id=zd.STATUS_SUPPLIER)
    after = shown(zendesk, number)
    assert (after["status"], after["custom_status_id"]) == ("pending", zd.STATUS_SUPPLIER)
    update(zendesk, number, status="pending")
    assert shown(zendesk, number)["custom_status_id"] == default_of(zendesk, "pending")
    update(zendesk, number, status="open", custom_status_id=zd.STATUS_WITH_US)
    assert shown(zendesk, number)["custom_status_id"] == zd.STATUS_WITH_US


@pytest.mark.parametrize(
    "change",
    [
        {"status": "open", "custom_status_id": zd.STATUS_SUPPLIER},
        {"custom_status_id": zd.STATUS_RETIRED},
        {"custom_status_id": 1},
        {"custom_status_id": "many"},
    ],
)
def test_a_custom_status_that_does_not_fit_is_refused_and_changes_nothing(
    zendesk: Zendesk, change: dict[str, Any]
) -> None:
    number = zendesk.ids("open", count=1)[0]
    before = shown(zendesk, number)
    results = update(zendesk, number, additional_tags=["x"], **change)
    assert results[0]["details"].startswith("Custom status: ")
    assert (shown(zendesk, number), "x" in zendesk.sandbox.ticket(number).tags) == (before, False)


@pytest.mark.parametrize(("drops", "left"), [(True, (None, None)), (False, (16, DUE))])
def test_another_type_drops_the_problem_and_the_due_date(
    start: Start, drops: bool, left: tuple[int | None, str | None]
) -> None:
    zendesk = start(type_drops=drops)
    incident, task = zendesk.ids("open", count=2)
    zendesk.sandbox.edit(incident, values={"type": "incident", "problem_id": 16})
    zendesk.sandbox.edit(task, values={"type": "task", "due_at": DUE})
    assert (shown(zendesk, incident)["problem_id"], shown(zendesk, task)["due_at"]) == (16, DUE)
    for number in (incident, task):
        update(zendesk, number, type="question")
    assert (shown(zendesk, incident)["problem_id"], shown(zendesk, task)["due_at"]) == left


@pytest.mark.parametrize(
    ("treatment", "status", "is_refused"),
    [("refused", "open", True), ("ignored", "open", False), ("done", "new", False)],
)
def test_a_ticket_is_not_set_back_to_new(start: Start, treatment: str, status: str, is_refused: bool) -> None:
    zendesk = start(back_to_new=treatment)
    number = zendesk.ids("open", count=1)[0]
    results = update(zendesk, number, status="new", additional_tags=["x"])
    assert ("error" in results[0], shown(zendesk, number)["status"]) == (is_refused, status)
    assert ("x" in zendesk.sandbox.ticket(number).tags) is not is_refused
    fresh = zendesk.ids("new", count=1)[0]
    assert "error" not in update(zendesk, fresh, status="new")[0]


@pytest.mark.parametrize("treatment", ["refused", "ignored", "done"])
@pytest.mark.parametrize("name", ["priority", "group_id", "assignee_id", "type"])
def test_null_empties_a_field_or_not(start: Start, treatment: str, name: str) -> None:
    zendesk = start(nulls=treatment)
    number = zendesk.ids("open", count=1)[0]
    filled = {"priority": "high", "group_id": 1, "assignee_id": 2, "type": "task"}
    zendesk.sandbox.edit(number, values=filled)
    results = update(zendesk, number, **{name: None}, additional_tags=["x"])
    assert ("error" in results[0]) is (treatment == "refused")
    assert shown(zendesk, number)[name] == (None if treatment == "done" else filled[name])
    assert ("x" in zendesk.sandbox.ticket(number).tags) is (treatment != "refused")


@pytest.mark.parametrize(("treatment", "code"), [("shown", 200), ("refused", 403), ("unknown", 404)])
def test_the_list_of_custom_statuses_may_be_closed(start: Start, treatment: str, code: int) -> None:
    assert start(custom_statuses=treatment).get("custom_statuses.json").status_code == code


def test_a_macros_note_goes_along_with_a_change_of_a_closed_ticket(start: Start) -> None:
    """The note and the metadata are only recorded, so they hold no update up."""
    zendesk = start(allow_closed=True)
    number = zendesk.ids("closed", count=1)[0]
    results = update(zendesk, number, additional_tags=["x"], macro_id=7, metadata={"custom": {"mark": "m"}})
    assert "error" not in results[0]
    assert "x" in zendesk.sandbox.ticket(number).tags
