"""A bulk job's status becomes the engine's answer about a batch."""

from __future__ import annotations

from typing import Any

import pytest

import zendesk as api
from jobs.work import Answer, Phase, Result, Verdict
from tagmanager.changes.engine_adapter import answer_of, receipt_of, remark_on


def status(*results: dict[str, Any], **fields: Any) -> api.JobStatus:
    return api.JobStatus.from_json({"id": "V3-1", "status": "completed", "results": list(results)} | fields)


@pytest.mark.parametrize(
    ("item", "result"),
    [
        ({"success": True, "status": "Updated"}, Result(Verdict.DONE)),
        # As recorded.
        (
            {"error": "DatabaseConflict", "details": "Database collision"},
            Result(Verdict.LATER, "DatabaseConflict", "Database collision"),
        ),
        (
            {
                "error": "DatabaseDeadlock",
                "details": "Database deadlock found; please retry your transaction",
            },
            Result(
                Verdict.LATER,
                "DatabaseDeadlock",
                "Database deadlock found; please retry your transaction",
            ),
        ),
        ({"error": "UpdateConflict"}, Result(Verdict.LATER, "conflict", "UpdateConflict")),
        (
            {
                "error": "TicketUpdateFailed",
                "details": "Safe Update prevented the update due to outdated ticket data.",
            },
            Result(
                Verdict.UNEXPLAINED,
                "TicketUpdateFailed",
                "Safe Update prevented the update due to outdated ticket data.",
            ),
        ),
        (
            {"error": "TicketUpdateFailed", "details": "Status: closed prevents ticket update"},
            Result(Verdict.UNEXPLAINED, "TicketUpdateFailed", "Status: closed prevents ticket update"),
        ),
        ({"error": "RecordNotFound"}, Result(Verdict.MISSING, "RecordNotFound", "RecordNotFound")),
        (
            {"error": "TicketUpdateFailed", "details": "Group: is not allowed"},
            Result(Verdict.UNEXPLAINED, "TicketUpdateFailed", "Group: is not allowed"),
        ),
        ({"success": False}, Result(Verdict.UNEXPLAINED, "", "Zendesk gave no reason.")),
        ({"error": "Database collision"}, Result(Verdict.LATER, "DatabaseConflict", "Database collision")),
        ({}, None),
        ({"success": True, "error": "TicketUpdateFailed"}, None),
    ],
)
def test_each_ticket_gets_a_verdict_with_its_reason(item: dict[str, Any], result: Result | None) -> None:
    named = status(item | {"id": 11, "index": 0})
    assert answer_of(named) == Answer(Phase.OVER, results={11: result})
    by_index = status(item | {"index": 3})
    assert answer_of(by_index) == Answer(Phase.OVER, by_place={3: result})


DONE = {"success": True}
FAILED = {"error": "TicketUpdateFailed", "details": "No"}
UNEXPLAINED = Result(Verdict.UNEXPLAINED, "TicketUpdateFailed", "No")


@pytest.mark.parametrize(
    ("items", "results", "by_place"),
    [
        ([DONE | {"id": 11}, FAILED | {"id": 11}], {11: None}, {}),
        ([DONE | {"id": 11}, DONE | {"id": 11}], {11: Result(Verdict.DONE)}, {}),
        ([DONE | {"id": 11}, {"id": 11}], {11: Result(Verdict.DONE)}, {}),
        ([FAILED | {"id": 11}, FAILED | {"id": 11, "details": "Never"}], {11: UNEXPLAINED}, {}),
        ([DONE | {"id": "11"}, FAILED | {"id": 11}], {11: None}, {}),
        # An index counts only where there is no id, and where it is one of its own.
        ([DONE | {"id": 11, "index": 5}], {11: Result(Verdict.DONE)}, {}),
        ([DONE | {"index": 5}], {}, {5: Result(Verdict.DONE)}),
        ([DONE | {"index": 5}, FAILED | {"index": 5}], {}, {}),
        ([FAILED | {"index": 0}, FAILED | {"index": 0}, DONE | {"index": 1}], {}, {}),
        ([DONE], {}, {}),
    ],
)
def test_results_that_contradict_each_other_say_nothing(
    items: list[dict[str, Any]], results: dict[int, Result | None], by_place: dict[int, Result]
) -> None:
    answer = answer_of(status(*items))
    assert (answer.results, answer.by_place) == (results, by_place)


@pytest.mark.parametrize(
    ("named", "ignored"),
    [
        (':unpermitted_keys=>["ticket.additional_tags"], :invalid_values=>[]', ("additional_tags",)),
        (':unpermitted_keys=>[], :invalid_values=>["ticket.status"]', ("status",)),
        (':unpermitted_keys=>["tickets"], :invalid_values=>[]', ("tickets",)),
        (
            ':unpermitted_keys=>["tickets.updated_stamp", "tickets.safe_update"]',
            ("safe_update", "updated_stamp"),
        ),
        (':unpermitted_keys=>["ticket.macro_id", "ticket.metadata"], :invalid_values=>[]', ()),
        (':unpermitted_keys=>["ticket.colour"], :invalid_values=>[]', ()),
        (":unpermitted_keys=>[], :invalid_values=>[]", ()),
        ("additional_tags is deprecated", ("additional_tags",)),
    ],
)
def test_the_receipt_names_the_keys_that_matter_and_are_ignored(named: str, ignored: tuple[str, ...]) -> None:
    warning = f'{{:allowed_parameters=>{{:controller=>"tickets", :action=>"update_many", {named}}}}}'
    queued = status().with_headers({"x-zendesk-api-warn": warning})
    sent = {
        "tickets",
        "id",
        "updated_stamp",
        "safe_update",
        "additional_tags",
        "status",
        "macro_id",
        "metadata",
    }
    assert receipt_of(queued, sent).ignored == ignored
    assert receipt_of(status().with_headers({}), sent).ignored == ()


def test_the_progress_of_a_running_job_is_a_part_of_the_whole() -> None:
    assert answer_of(status(status="working", progress=25, total=100)) == Answer(Phase.RUNNING, progress=0.25)
    assert answer_of(status(status="queued")) == Answer(Phase.RUNNING)
    assert answer_of(status(status="queued", total=100)) == Answer(Phase.RUNNING, progress=0.0)


def test_a_job_that_broke_off_names_what_it_did_and_says_why() -> None:
    broken = status({"id": 11, "success": True}, status="killed", message="Killed by an operator")
    assert answer_of(broken) == Answer(
        Phase.FAILED,
        results={11: Result(Verdict.DONE)},
        text="Zendesk broke its bulk job off: Killed by an operator.",
    )


@pytest.mark.parametrize(
    ("unreadable", "remark"),
    [
        ([], ""),
        (
            ["Its id is null."],
            "Zendesk listed 1 record without a usable ticket number; it is not in this job. Its id is null.",
        ),
        (
            ["Its id is null.", "Its id is text.", "Its id is null."],
            (
                "Zendesk listed 3 records without a usable ticket number; they are not in this job. "
                "Its id is null. Its id is text."
            ),
        ),
    ],
)
def test_records_that_name_no_ticket_are_counted_and_each_reason_is_said_once(
    unreadable: list[str], remark: str
) -> None:
    assert remark_on(unreadable) == remark
