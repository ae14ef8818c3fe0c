"""A bulk job's status becomes the engine's answer about a batch."""

from __future__ import annotations

from typing import Any

import pytest

import zendesk as api
from jobs.work import Answer, Phase, Result, Verdict
from tagmanager.changes.engine_adapter import answer_of


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
                Verdict.LATER, "conflict", "Safe Update prevented the update due to outdated ticket data."
            ),
        ),
        (
            {"error": "TicketUpdateFailed", "details": "Status: closed prevents ticket update"},
            Result(Verdict.REFUSED, "closed", "Status: closed prevents ticket update"),
        ),
        ({"error": "RecordNotFound"}, Result(Verdict.MISSING, "RecordNotFound", "RecordNotFound")),
        (
            {"error": "TicketUpdateFailed", "details": "Group: is not allowed"},
            Result(Verdict.REFUSED, "TicketUpdateFailed", "Group: is not allowed"),
        ),
        ({}, Result(Verdict.REFUSED, "", "Zendesk gave no reason.")),
    ],
)
def test_each_ticket_gets_a_verdict_with_its_reason(item: dict[str, Any], result: Result) -> None:
    named = status(item | {"id": 11, "index": 0})
    assert answer_of(named) == Answer(Phase.OVER, results={11: result})
    by_index = status(item | {"index": 3})
    assert answer_of(by_index) == Answer(Phase.OVER, by_place={3: result})


def test_the_progress_of_a_running_job_is_a_part_of_the_whole() -> None:
    assert answer_of(status(status="working", progress=25, total=100)) == Answer(Phase.RUNNING, progress=0.25)
    assert answer_of(status(status="queued")) == Answer(Phase.RUNNING)


def test_a_job_that_broke_off_names_what_it_did_and_says_why() -> None:
    broken = status({"id": 11, "success": True}, status="killed", message="Killed by an operator")
    assert answer_of(broken) == Answer(
        Phase.FAILED,
        results={11: Result(Verdict.DONE)},
        text="Zendesk broke its bulk job off: Killed by an operator.",
    )
