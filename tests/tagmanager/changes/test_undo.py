"""What takes a job's change of one ticket back, and what a person reads about that ticket."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.work import PreviousResult, Skipped, Unchanged
from tagmanager.changes import undo
from tagmanager.ticket_change import FieldValue, TicketChange, TicketSnapshot

NOT_CHANGED = Skipped("not_changed", "The job that is undone did not change this ticket.")
LEFT_ALONE = "that was left alone."


def ticket(*tags: str, **fields: FieldValue) -> TicketSnapshot:
    return TicketSnapshot(7, frozenset(tags), "open", "2026-01-01T00:00:00Z", fields)


def earlier(before: TicketSnapshot, outcome: str = "changed", **change: Any) -> PreviousResult:
    """The change as the job recorded it."""
    sets = {name: frozenset(tags) for name, tags in change.items() if isinstance(tags, (set, list))}
    return PreviousResult(before.to_json(), TicketChange(**(change | sets)).to_json(), outcome)


def test_what_was_added_goes_and_what_was_removed_comes_back_whatever_else_is_there() -> None:
    done = earlier(ticket("old", "kept"), add={"new", "newer"}, remove={"old"})
    assert undo.change_for(ticket("new", "newer", "kept", "theirs"), done) == TicketChange(
        add=frozenset({"old"}), remove=frozenset({"new", "newer"})
    )
    assert undo.change_for(ticket("new", "old"), done) == TicketChange(remove=frozenset({"new"}))


def test_a_whole_list_is_taken_back_as_one() -> None:
    done = earlier(ticket("old"), add={"new"}, remove={"old"}, exact=True)
    assert undo.change_for(ticket("new"), done) == TicketChange(frozenset({"old"}), frozenset({"new"}), True)


@pytest.mark.parametrize(
    "done",
    [
        None,
        PreviousResult(None, {"add": ["new"]}, "changed"),
        PreviousResult(ticket().to_json(), None, "skipped"),
    ],
)
def test_a_ticket_without_a_change_on_record_is_left_alone(done: PreviousResult | None) -> None:
    assert undo.change_for(ticket("new"), done) == NOT_CHANGED
    assert undo.touched_since(ticket("new"), done) == ""
    assert undo.note_on(ticket("new"), done) == ("", "")


def test_nothing_to_take_back_says_who_did_it_meanwhile() -> None:
    done = earlier(ticket("old"), add={"new"}, remove={"old"})
    note = f"Since then someone added old and removed new; {LEFT_ALONE}"
    assert undo.change_for(ticket("old"), done) == Unchanged("touched_since", note)


def test_an_unverified_ticket_says_that_nobody_knows() -> None:
    done = earlier(ticket(), "unverified", add={"new"})
    assert undo.note_on(ticket("new", "theirs"), done) == (
        "unverified",
        "Whether the job changed this ticket was never learned: what looks like its change is taken back.",
    )


@pytest.mark.parametrize(
    ("comment", "stays"),
    [
        ("public", "The public reply and the mail that it sent stay."),
        ("internal", "The internal note stays."),
    ],
)
def test_a_comment_stays_and_what_others_did_is_said_first(comment: str, stays: str) -> None:
    done = earlier(ticket(), add={"new"}, comment=comment)
    assert undo.note_on(ticket("new"), done) == ("comment_stays", stays)
    assert undo.note_on(ticket("new", "b", "a"), done) == (
        "touched_since",
        f"Since then someone added a, b; {LEFT_ALONE} {stays}",
    )
    assert undo.note_on(ticket("new"), earlier(ticket(), add={"new"})) == ("", "")


@pytest.mark.parametrize("now", [ticket("new", "guard"), ticket("new")])
def test_the_jobs_own_guard_tag_is_no_change_by_others(now: TicketSnapshot) -> None:
    done = earlier(ticket(), add={"new"}, guard="guard")
    assert undo.touched_since(now, done) == ""
    assert undo.change_for(now, done) == TicketChange(remove=frozenset({"new"}))


def test_fields_that_others_have_set_since_are_named_and_left() -> None:
    done = earlier(ticket(priority="low", group_id=1), fields={"priority": "high", "group_id": 2})
    now = ticket(priority="high", group_id=3)
    assert undo.change_for(now, done) == TicketChange(fields={"priority": "low"})
    assert undo.touched_since(now, done) == f"Since then someone changed the group; {LEFT_ALONE}"
