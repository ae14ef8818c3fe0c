"""What an export says of tickets that their job never read."""

from __future__ import annotations

from typing import Any

import pytest

from jobs.models import Job
from jobs.reports.exports import ToDo, rows
from jobs.states import FollowUp, Outcome, Status
from tagmanager import job_labels
from tagmanager.changes.job_options import JobOptions
from tagmanager.changes.unplanned import UNKNOWN
from tagmanager.intake.ticket_filter import TicketFilter
from tests import factories

MACRO = {
    "macro": 7,
    "macro_title": "M",
    "add": ["m"],
    "remove": ["old"],
    "set": [],
    "fields": {},
    "left_out": [],
}
UNDONE = {"add": ["new", "guard"], "remove": ["old"], "guard": "guard"}


def told(job: Job, given: dict[str, Any] | None = None) -> ToDo:
    factories.item(job, 7, Outcome.PENDING, before=None, change=None, given=given)
    [row] = rows(job, asked=job_labels.asked(job))
    assert (row.ticket_id, row.outcome) == (7, "not_attempted")
    return ToDo(tuple(row.tags_to_add.split()), tuple(row.tags_to_remove.split()), row.also_to_do)


@pytest.mark.parametrize(
    ("tool", "params", "given", "todo"),
    [
        ("bulk-tag", {"add": ["a"], "remove": ["b"], "set": []}, None, ToDo(("a",), ("b",))),
        ("bulk-tag", {"add": [], "remove": [], "set": ["a"]}, None, UNKNOWN),
        ("tag-rows", {}, {"add": ["mine"], "remove": []}, ToDo(("mine",), ())),
        ("tag-rows", {"each_its_own": True}, {"add": ["mine"], "remove": ["b"]}, ToDo(("mine",), ("b",))),
        ("rename-tags", {"pairs": {"a": "b"}}, None, UNKNOWN),
        ("rename-tags", {"pairs": {"a": "", "b": ""}}, None, ToDo((), ("a", "b"))),
        ("remove-pattern", {"patterns": ["t*"], "remove": ["t1", "t2"]}, None, ToDo((), ("t1", "t2"))),
        ("count-tags", {"account": "x"}, None, ToDo((), ())),
        ("apply-macro", MACRO, None, ToDo(("m",), ("old",))),
        (
            "apply-macro",
            MACRO
            | {"fields": {"status": "solved"}, "custom": {"9": True}, "public_reply": "Hi", "mark": "x"},
            None,
            ToDo(
                ("m",),
                ("old",),
                "Tags alone do not repeat this: status=solved custom_fields_9=True, a public reply.",
            ),
        ),
        ("apply-macro", MACRO | {"as_of": "2026-11-01", "does": "x"}, None, UNKNOWN),
        ("apply-macro", MACRO | {"clear_tags": True}, None, UNKNOWN),
        ("gone", {"add": ["a"]}, None, UNKNOWN),
        ("bulk-tag", {"tags": ["of another release"]}, None, UNKNOWN),
    ],
)
def test_the_request_tells_as_far_as_it_holds_for_any_ticket(
    db: None, tool: str, params: dict[str, Any], given: dict[str, Any] | None, todo: ToDo
) -> None:
    assert told(factories.job(Status.CANCELLED, total=1, tool=tool, params=params), given) == todo


def test_nothing_is_told_of_a_ticket_that_the_filter_may_exclude(db: None) -> None:
    options = JobOptions(only=TicketFilter(having=frozenset({"vip"}))).to_json()
    assert told(factories.job(Status.CANCELLED, total=1, options=options)).also == UNKNOWN.also


def earlier(change: dict[str, Any] | None) -> Job:
    job = factories.job(Status.SUCCEEDED, changed=1)
    before = {"tags": ["old"], "status": "open", "updated_at": "", "fields": {"priority": "low"}}
    factories.item(job, 7, Outcome.CHANGED, before=before, change=change)
    return job


@pytest.mark.parametrize(
    ("change", "todo"),
    [
        (UNDONE, ToDo(("old",), ("new",))),
        (
            {"fields": {"priority": "high"}, "comment": "public"},
            ToDo((), (), "Tags alone do not repeat this: priority=low."),
        ),
        (None, ToDo((), ())),
    ],
)
def test_an_undo_was_to_do_the_opposite_of_what_was_done(
    db: None, change: dict[str, Any] | None, todo: ToDo
) -> None:
    undo = factories.job(Status.CANCELLED, total=1, parent=earlier(change), follow_up=FollowUp.UNDO)
    assert told(undo) == todo


def test_the_rest_of_an_undo_takes_back_too(db: None) -> None:
    undo = factories.job(Status.CANCELLED, parent=earlier(UNDONE), follow_up=FollowUp.UNDO)
    assert told(factories.job(Status.CANCELLED, total=1, parent=undo, follow_up=FollowUp.REST)) == ToDo(
        ("old",), ("new",)
    )


def test_a_guard_tag_was_to_come_off_where_it_was_put_on(db: None) -> None:
    options = JobOptions(guard="guard").to_json()
    for change, tags in ((UNDONE, ("guard",)), ({"add": ["new"]}, ())):
        job = factories.job(
            Status.CANCELLED, total=1, options=options, parent=earlier(change), follow_up=FollowUp.UNGUARD
        )
        assert told(job) == ToDo((), tags)
