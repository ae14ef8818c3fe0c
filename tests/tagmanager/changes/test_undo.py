"""What takes a job's change of one ticket back, and what a person reads about that ticket."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jobs.work import PreviousResult, Skipped, Unchanged
from tagmanager.changes import undo
from tagmanager.ticket_change import FieldValue, TicketChange, TicketSnapshot, same_value

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


DUE = "2026-12-24T12:00:00Z"


def whole(status: str, **values: FieldValue) -> TicketSnapshot:
    """A ticket as a job that sets status and type reads it."""
    fields = {"status": status, "type": values.pop("type", None)}
    along = {"custom_status_id": 1, "problem_id": None, "due_at": None} | values
    return TicketSnapshot(7, frozenset(), status, "2026-01-01T00:00:00Z", fields, along=along)


SOLVED_QUESTION = {"status": "solved", "type": "question"}
SOLVED = whole("solved", type="question", custom_status_id=9)


@pytest.mark.parametrize(
    ("before", "now", "sent"),
    [
        (
            whole("pending", custom_status_id=77),
            SOLVED,
            {"status": "pending", "custom_status_id": 77, "type": None},
        ),
        (
            whole("open", type="incident", problem_id=16),
            SOLVED,
            {"status": "open", "custom_status_id": 1, "type": "incident", "problem_id": 16},
        ),
        (
            whole("open", type="task", due_at=DUE),
            SOLVED,
            {"status": "open", "custom_status_id": 1, "type": "task", "due_at": DUE},
        ),
        (  # Zendesk kept the due date, or somebody has set it again
            whole("open", type="task", due_at=DUE),
            whole("solved", type="question", custom_status_id=9, due_at=DUE),
            {"status": "open", "custom_status_id": 1, "type": "task"},
        ),
        (  # the type is back already, and the problem is not
            whole("open", type="incident", problem_id=16),
            whole("open", type="incident"),
            {"problem_id": 16},
        ),
        (  # somebody has set a due date, which another type would drop
            whole("open", type="problem"),
            whole("solved", type="question", custom_status_id=9, due_at=DUE),
            {"status": "open", "custom_status_id": 1},
        ),
        (  # somebody has set another status since, and so another custom one
            whole("pending", custom_status_id=77, type="question"),
            whole("hold", type="question", custom_status_id=5),
            {"type": "question"},
        ),
    ],
)
def test_what_a_status_and_a_type_moved_comes_back_with_them(
    before: TicketSnapshot, now: TicketSnapshot, sent: dict[str, FieldValue]
) -> None:
    assert undo.change_for(now, earlier(before, fields=SOLVED_QUESTION)) == TicketChange(fields=sent)


def test_a_due_date_that_somebody_set_is_named() -> None:
    done = earlier(whole("open", type="problem"), fields=SOLVED_QUESTION)
    now = whole("solved", type="question", due_at=DUE)
    assert undo.touched_since(now, done) == f"Since then someone changed the due date; {LEFT_ALONE}"


def test_a_custom_status_comes_back_with_its_category() -> None:
    before = TicketSnapshot(7, frozenset(), "open", "", {"custom_status_id": 2}, along={"status": "open"})
    now = replace(before, status="pending", fields={"custom_status_id": 5}, along={"status": "pending"})
    done = earlier(before, fields={"custom_status_id": 5})
    assert undo.change_for(now, done) == TicketChange(fields={"status": "open", "custom_status_id": 2})
    same_category = replace(now, status="open", along={"status": "open"})
    assert undo.change_for(same_category, done) == TicketChange(fields={"custom_status_id": 2})


def test_a_job_of_an_earlier_release_kept_nothing_that_moves_along() -> None:
    before = TicketSnapshot(7, frozenset(), "open", "", {"status": "open", "type": "task"})
    done = earlier(before, fields=SOLVED_QUESTION)
    assert undo.change_for(SOLVED, done) == TicketChange(fields={"status": "open", "type": "task"})


NOT_NEW = "The ticket was new, and Zendesk sets no ticket back to new: its status stays solved."


def test_a_ticket_that_was_new_stays_as_it_is_and_says_so() -> None:
    done = earlier(whole("new"), fields={"status": "solved"})
    assert undo.change_for(SOLVED, done) == Skipped("not_taken_back", NOT_NEW)
    tagged = earlier(whole("new"), fields={"status": "solved"}, add={"new"})
    back = undo.change_for(replace(SOLVED, tags=frozenset({"new"})), tagged)
    assert back == TicketChange(remove=frozenset({"new"}), stays={"status": "new"})
    assert isinstance(back, TicketChange)
    assert TicketChange.from_json(back.to_json()) == back
    assert undo.why_not_back(back, SOLVED) == NOT_NEW
    assert undo.why_not_back(back, whole("new")) == ""


def test_what_zendesk_did_not_empty_is_named_once_the_rest_is_back() -> None:
    back = TicketChange(remove=frozenset({"new"}), fields={"priority": None, "status": "open"})
    now = ticket(status="open", priority="high")
    said = "The ticket had no priority, and Zendesk did not empty the field: it stays high."
    assert undo.why_not_back(back, now) == said
    assert undo.why_not_back(back, ticket("new", status="open", priority="high")) == ""
    assert undo.why_not_back(back, ticket(status="solved", priority="high")) == ""
    assert undo.why_not_back(back, ticket(status="open", priority=None)) == ""


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"priority": None, "status": "open"}, [["priority"], ["priority"]]),
        ({"type": "task", "due_at": DUE}, [["due_at"], ["due_at"]]),
        ({"status": "open", "custom_status_id": 2}, [["custom_status_id"]]),
        (
            {"type": None, "status": "open", "custom_status_id": 2},
            [["type"], ["custom_status_id"], ["type", "custom_status_id"], ["type", "custom_status_id"]],
        ),
        ({"status": "open", "type": "question"}, [[], []]),
    ],
)
def test_what_zendesk_may_have_refused_stays_and_the_rest_is_sent(
    fields: dict[str, FieldValue], kept: list[list[str]]
) -> None:
    change = TicketChange(fields=fields)
    assert undo.is_doubtful(change) is any(kept)
    assert undo.without_doubtful(change, 0) == change
    for refusals, names in enumerate(kept, start=1):
        left = {name: fields[name] for name in names}
        rest = {name: value for name, value in fields.items() if name not in names}
        assert undo.without_doubtful(change, refusals) == TicketChange(fields=rest, stays=left)


def test_of_a_closed_ticket_only_tags_and_priority_come_back() -> None:
    before = ticket("old", priority="low", group_id=1)
    done = earlier(before, fields={"priority": "high", "group_id": 2}, remove={"old"})
    closed = replace(ticket(priority="high", group_id=2), status="closed")
    back = TicketChange(frozenset({"old"}), fields={"priority": "low"}, stays={"group_id": 1})
    assert undo.change_for(closed, done) == back
    assert undo.why_not_back(
        back, replace(closed, tags=frozenset({"old"}), fields={"group_id": 2, "priority": "low"})
    ) == ("The group of a closed ticket cannot be changed: it stays 2.")


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        (DUE, "2026-12-24T12:00:00+00:00", True),
        (DUE, "2026-12-24T14:00:00.000+02:00", True),
        (DUE, "2026-12-24T12:00:00", True),
        (DUE, "2026-12-24T12:00:01Z", False),
        (77, "77", True),
        (None, "", False),
        (None, None, True),
        ("open", "solved", False),
    ],
)
def test_a_value_is_the_same_however_it_is_written(one: FieldValue, other: FieldValue, is_same: bool) -> None:
    assert same_value(one, other) is is_same
    shown = TicketSnapshot(7, frozenset(), "open", "", {"due_at": other})
    assert TicketChange(fields={"due_at": one}).is_shown_by(shown) is is_same
