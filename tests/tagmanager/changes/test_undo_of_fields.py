"""Macros that set status and type, applied and undone: each ticket is as it was, or says that it is not."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
import requests

from jobs.engine import lost_search
from jobs.models import Item, Job
from jobs.states import FollowUp, Status
from tests.demo import Demo, counts, follow
from tests.processes import command
from zendesk import sandbox as zd

pytestmark = pytest.mark.once

SHOWN = ("status", "custom_status_id", "type", "problem_id", "due_at", "priority", "group_id", "assignee_id")
DUE = "2026-12-24T12:00:00Z"
SOLVE_AS_QUESTION = (("status", "solved"), ("type", "question"), ("current_tags", "answered"))
NOT_NEW = "The ticket was new, and Zendesk sets no ticket back to new: its status stays solved."


def state(demo: Demo, ref: int) -> dict[str, Any]:
    answer = requests.get(
        f"{demo.url}/api/v2/tickets/{ref}.json",
        headers={"Authorization": f"Bearer {zd.BEARER_TOKEN}"},
        timeout=30,
    )
    answer.raise_for_status()
    ticket = answer.json()["ticket"]
    return {name: ticket[name] for name in SHOWN} | {"tags": set(ticket["tags"])}


def prepare(demo: Demo) -> dict[str, int]:
    """One ticket of each kind, by name; each of them without the macro's tag."""
    supplier, incident, task, new, plain, *_ = demo.open_tickets
    values: dict[int, dict[str, Any]] = {
        supplier: {"custom_status_id": zd.STATUS_SUPPLIER, "type": None, "priority": "low"},
        incident: {"status": "open", "type": "incident", "problem_id": 16},
        task: {"status": "open", "type": "task", "due_at": DUE},
        new: {"status": "new", "type": "problem", "priority": None},
        plain: {"status": "open", "type": "question", "priority": "low"},
    }
    for ref, given in values.items():
        demo.account.edit(ref, values=given)
    return {"supplier": supplier, "incident": incident, "task": task, "new": new, "plain": plain}


def apply(demo: Demo, refs: list[int], *actions: tuple[str, Any]) -> Job:
    demo.account.edit_macro(4711, title="Answered", actions=actions)
    ran = command("apply_macro", "--ids", ",".join(map(str, refs)), "--macro", "4711", "--yes")
    assert ran.code == 0, ran.err
    return Job.objects.latest("pk")


def told(job: Job) -> dict[int, tuple[str, str, str]]:
    return {item.ref: (str(item.outcome), item.reason, item.detail) for item in job.items.all()}


@pytest.mark.parametrize(
    ("back_to_new", "type_drops", "more"),
    [
        *product(("refused", "ignored"), (True, False), ((),)),
        ("refused", True, (("comment_value", "Done."), ("comment_mode_is_public", "false"))),
        ("refused", True, (("set_tags", "answered"),)),
    ],
)
def test_what_zendesk_takes_back_is_exact_and_what_it_does_not_is_told(
    demo: Demo, back_to_new: str, type_drops: bool, more: tuple[tuple[str, str], ...]
) -> None:
    demo.account.configure(back_to_new=back_to_new, type_drops=type_drops)
    refs = prepare(demo)
    before = {ref: state(demo, ref) for ref in refs.values()}
    job = apply(demo, list(before), *SOLVE_AS_QUESTION, *more)
    assert counts(job) == {"changed": 5}
    undone = follow(job, FollowUp.UNDO)
    new = refs["new"]
    after = {ref: state(demo, ref) for ref in before}
    assert {ref: after[ref] for ref in before if ref != new} == {
        ref: before[ref] for ref in before if ref != new
    }
    assert after[new] == before[new] | {name: after[new][name] for name in ("status", "custom_status_id")}
    assert after[new]["status"] == "solved"
    assert told(undone)[new] == ("failed", "not_taken_back", NOT_NEW)
    assert counts(undone) == {"changed": 4, "failed": 1}


def test_a_ticket_of_which_nothing_else_was_changed_is_left_alone(demo: Demo) -> None:
    refs = prepare(demo)
    job = apply(demo, list(refs.values()), ("status", "solved"))
    writes = demo.account.ledger.updates[refs["new"]]
    undone = follow(job, FollowUp.UNDO)
    assert told(undone)[refs["new"]] == ("skipped", "not_taken_back", NOT_NEW)
    assert demo.account.ledger.updates[refs["new"]] == writes
    assert (undone.status, counts(undone)) == (Status.SUCCEEDED, {"changed": 4, "skipped": 1})


@pytest.mark.parametrize("nulls", ["done", "ignored", "refused"])
def test_a_field_that_was_empty_is_emptied_or_the_ticket_says_that_it_is_not(demo: Demo, nulls: str) -> None:
    demo.account.configure(nulls=nulls)
    empty, filled = demo.open_tickets[:2]
    none = dict.fromkeys(("priority", "group_id", "assignee_id", "type"))
    demo.account.edit(empty, values=none)
    demo.account.edit(filled, values={"priority": "low", "group_id": 1, "assignee_id": 2, "type": "task"})
    before = {ref: state(demo, ref) for ref in (empty, filled)}
    sets = (("priority", "high"), ("group_id", "7"), ("assignee_id", "8"), ("type", "question"))
    job = apply(demo, [empty, filled], *sets, ("current_tags", "answered"))
    changed = state(demo, empty)
    undone = follow(job, FollowUp.UNDO)
    assert (state(demo, filled), told(undone)[filled][0]) == (before[filled], "changed")
    if nulls == "done":
        assert (state(demo, empty), told(undone)[empty][0]) == (before[empty], "changed")
        return
    # The tags come back all the same.
    assert state(demo, empty) == changed | {"tags": before[empty]["tags"]}
    outcome, reason, detail = told(undone)[empty]
    assert (outcome, reason) == ("failed", "not_taken_back")
    for field, value in (("priority", "high"), ("group", "7"), ("assignee", "8"), ("type", "question")):
        said = f"The ticket had no {field}, and Zendesk did not empty the field: it stays {value}."
        assert said in detail
    assert demo.account.ledger.updates[empty] == 2  # a refused update is none


def test_a_ticket_that_only_lacks_what_zendesk_ignores_does_not_stop_the_job(demo: Demo) -> None:
    demo.account.configure(nulls="ignored")
    refs = demo.open_tickets[:120]
    for ref in refs:
        demo.account.edit(ref, values={"priority": None})
    undone = follow(apply(demo, refs, ("priority", "high")), FollowUp.UNDO)
    assert (undone.status, counts(undone)) == (Status.PARTIAL, {"failed": 120})
    assert set(undone.items.values_list("reason", flat=True)) == {"not_taken_back"}
    again = follow(undone, FollowUp.RETRY)
    assert counts(again) == {"failed": 120}


@pytest.mark.parametrize("fault", ["reset_after", "results_null", "job_gone", "results_missing"])
def test_a_lost_answer_does_not_hide_what_is_not_taken_back(
    demo: Demo, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost_search, "LOST_SEARCH_DELAY", 0.0)
    monkeypatch.setattr(lost_search, "ABSENCE_CONFIRM_DELAY", 0.0)
    refs = prepare(demo)
    job = apply(demo, list(refs.values()), *SOLVE_AS_QUESTION)
    demo.fault(fault, times=None, count=100)
    undone = follow(job, FollowUp.UNDO)
    assert told(undone)[refs["new"]] == ("failed", "not_taken_back", NOT_NEW)
    assert counts(undone) == {"changed": 4, "failed": 1}


@pytest.mark.parametrize("nulls", ["done", "refused"])
def test_a_custom_status_that_was_retired_is_told_and_the_rest_comes_back(demo: Demo, nulls: str) -> None:
    """The ticket then has the default one of the category."""
    refs = prepare(demo)
    ref = refs["supplier"]
    before = state(demo, ref)
    job = apply(demo, [ref], *SOLVE_AS_QUESTION)
    item = Item.objects.get(job=job)
    assert item.before is not None
    item.before["along"]["custom_status_id"] = zd.STATUS_RETIRED  # deactivated since
    item.before["fields"]["status"] = item.before["status"] = "open"
    item.save(update_fields=["before"])
    demo.account.configure(nulls=nulls)
    undone = follow(job, FollowUp.UNDO)
    after = state(demo, ref)
    kind = None if nulls == "done" else "question"
    assert (after["status"], after["tags"], after["type"]) == ("open", before["tags"], kind)
    outcome, reason, detail = told(undone)[ref]
    assert (outcome, reason) == ("failed", "not_taken_back")
    assert "Zendesk did not take the old custom status, Reopened in 2023: it stays Open." in detail
    assert ("had no type" in detail) is (nulls == "refused")


def test_people_hear_before_the_macro_and_before_the_undo_what_will_stay(demo: Demo) -> None:
    refs = prepare(demo)
    demo.account.edit(refs["plain"], values={"status": "new", "priority": None})
    actions = (*SOLVE_AS_QUESTION, ("priority", "high"))
    demo.account.edit_macro(4711, actions=actions)
    ids = ",".join(map(str, refs.values()))
    preview = command("apply_macro", "--ids", ids, "--macro", "4711", "--dry-run")
    assert "2 of these tickets are new: no undo can make them new again." in preview.out
    no_priority = sum(state(demo, ref)["priority"] is None for ref in refs.values())
    assert f"{no_priority} of these tickets have no priority: an undo can empty" in preview.out
    assert "1 of these tickets has no type: an undo can empty" in preview.out
    job = follow(Job.objects.get(), FollowUp.RUN)
    undo = command("jobs", "undo", str(job.pk), "--yes")
    assert "2 tickets were new; they cannot become new again." in undo.err
    assert f"{no_priority} tickets had no priority. Where Zendesk does not empty the field again" in undo.err
    assert undo.code == 3


def test_the_page_of_the_undo_says_it_too(web: Any, demo: Demo) -> None:
    refs = prepare(demo)
    job = apply(demo, list(refs.values()), *SOLVE_AS_QUESTION)
    page = web.get(f"/jobs/{job.pk}/undo").content.decode()
    assert "1 ticket was new; it cannot become new again. The rest of the change is taken back." in page
    tags_alone = apply(demo, [refs["plain"]], ("current_tags", "other"))
    assert "become new again" not in web.get(f"/jobs/{tags_alone.pk}/undo").content.decode()


def test_tickets_closed_since_come_back_as_far_as_zendesk_allows(demo: Demo) -> None:
    demo.account.configure(allow_closed=True)
    refs = demo.open_tickets[:2]
    for ref in refs:
        demo.account.edit(ref, values={"priority": "low", "group_id": 1})
    before = {ref: state(demo, ref) for ref in refs}
    job = apply(demo, refs, ("priority", "high"), ("group_id", "7"), ("current_tags", "answered"))
    demo.account.edit(refs[0], status="closed")
    left = follow(job, FollowUp.UNDO)
    assert told(left)[refs[0]][:2] == ("skipped", "closed")
    undone = follow(job, FollowUp.UNDO, options={"include_closed": True})
    closed = state(demo, refs[0])
    assert closed == before[refs[0]] | {
        "group_id": 7,
        "status": "closed",
        "custom_status_id": closed["custom_status_id"],
    }
    assert told(undone)[refs[0]] == (
        "failed",
        "not_taken_back",
        "The group of a closed ticket cannot be changed: it stays 7.",
    )
    assert state(demo, refs[1]) == before[refs[1]]
