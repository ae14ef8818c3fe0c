from __future__ import annotations

import pytest

from tests.zendesk.recorded import sample
from zendesk import ItemResult, JobStatus, UnexpectedAnswer


def job(name: str) -> JobStatus:
    return JobStatus.from_json(sample(name).body["job_status"])


@pytest.mark.parametrize(
    ("name", "seen", "results"),
    [
        ("update_many-01-queued", ("queued", 100, None, ""), None),
        ("update_many-02-working", ("working", 100, 31, "Updating ticket #31"), None),
        ("update_many-03-working-late", ("working", 100, 98, "Updating ticket #98"), None),
        ("update_many-04-completed", ("completed", 100, 100, "Completed at 2023-09-18 23:25:12 +0000"), 4),
        ("update_many-1-queued", ("queued", 1, None, ""), None),
        ("update_many-50-completed", ("completed", 50, 50, "Completed at 2023-09-18 23:25:34 +0000"), 2),
        ("orgs-update_many-queued-at-5s", ("queued", 100, None, ""), None),
        (
            "orgs-update_many-completed-with-errors",
            ("completed", 100, 100, "Completed at 2023-09-18 23:35:58 +0000"),
            4,
        ),
        ("tickets-destroy_many-queued-2024", ("queued", 5, None, ""), None),
        ("deleted_tickets-permanent-delete-queued", ("queued", None, None, ""), None),
        (
            "deleted_tickets-permanent-delete-completed",
            ("completed", None, None, "Completed at 2023-09-18 23:34:53 +0000"),
            1,
        ),
        ("create_many-completed", ("completed", 100, 100, "Completed at 2023-09-18 23:22:37 +0000"), 3),
        ("job-failed-TicketCreateFailed", ("failed", 1, 0, "Failed at 2016-01-15 10:39:18 +0000"), 1),
    ],
)
def test_every_recorded_job_is_read(name, seen, results):
    read = job(name)
    assert read.id == sample(name).body["job_status"]["id"]
    assert (read.status, read.total, read.progress, read.message) == seen
    assert read.is_over == (read.status in {"completed", "failed"})
    assert read.succeeded == (read.status == "completed")
    assert (None if read.results is None else len(read.results)) == results


def test_updated_tickets_count_as_successes():
    assert job("update_many-50-completed").results == [
        ItemResult(id=3962, index=None, ok=True),
        ItemResult(id=3963, index=None, ok=True),
    ]


def test_a_completed_job_may_contain_failures():
    results = job("orgs-update_many-completed-with-errors").results
    assert results is not None
    assert results[0] == ItemResult(id=6164110654490, index=None, ok=True)
    assert results[1] == ItemResult(
        id=6164110666394,
        index=1,
        ok=False,
        code="OrganizationUpdateFailed",
        text="Name: testOrganizationa4603c3a2f5a511f9f71f9aa5bc1ef0048807e8c has already been taken",
    )
    assert [result.ok for result in results[2:]] == [False] * len(results[2:])


def test_a_result_may_have_only_an_index():
    (result,) = job("job-failed-TicketCreateFailed").results or []
    assert result == ItemResult(None, 0, False, "TicketCreateFailed", "Description: cannot be blank")


def test_results_may_be_one_object_about_the_whole_job():
    assert job("deleted_tickets-permanent-delete-completed").results == [ItemResult(None, None, True)]


@pytest.mark.parametrize(
    ("raw", "result"),
    [
        ({"id": 1, "status": "Updated"}, ItemResult(1, None, True)),
        ({"id": 1, "success": True, "errors": ""}, ItemResult(1, None, True)),
        ({"id": 1, "status": "Updated", "errors": "", "title": "My printer"}, ItemResult(1, None, True)),
        ({"id": 1, "success": False, "title": "My printer"}, ItemResult(1, None, False)),
        ({"id": 1, "status": "Failed", "success": False}, ItemResult(1, None, False)),
        ({"id": 1, "status": "Failed"}, ItemResult(1, None, False)),
        (
            {
                "id": 1,
                "success": False,
                "status": "Failed",
                "errors": "Status: closed",
                "title": "My printer",
            },
            ItemResult(1, None, False, "", "Status: closed"),
        ),
        (
            {"index": 3, "errors": [{"code": "Invalid", "detail": "Priority is invalid"}]},
            ItemResult(None, 3, False, "Invalid", "Priority is invalid"),
        ),
    ],
)
def test_an_item_is_a_success_or_a_failure_only_if_it_says_so(raw, result):
    assert ItemResult.from_json(raw) == result


@pytest.mark.parametrize(
    ("raw", "code", "text"),
    [
        ({"id": 1}, "", ""),
        # As create jobs name what they made.
        ({"index": 1, "id": 1, "account_id": 1}, "", ""),
        ({"id": 1, "success": "false"}, "", ""),
        ({"id": 1, "success": None, "status": "Skipped", "errors": []}, "", ""),
        ({"id": 1, "success": True, "status": "Failed"}, "", ""),
        ({"id": 1, "success": False, "status": "Updated"}, "", ""),
        ({"id": 1, "success": True, "error": "Odd"}, "Odd", ""),
        ({"id": 1, "status": "Updated", "errors": "No"}, "", "No"),
        (
            {
                "id": 1,
                "status": "Updated",
                "error": "TicketUpdateFailed",
                "details": {"base": [{"description": "No"}]},
            },
            "TicketUpdateFailed",
            "No",
        ),
    ],
)
def test_an_item_that_says_neither_or_both_has_no_verdict(raw, code, text):
    index = raw.get("index")
    assert ItemResult.from_json(raw) == ItemResult(1, index, False, code, text, has_verdict=False)


@pytest.mark.parametrize(
    ("raw", "id_", "index"),
    [
        ({"id": "102", "index": "3"}, 102, 3),
        ({"id": 102.0, "index": 0.0}, 102, 0),
        ({"id": " 102 "}, 102, None),
        ({"id": True, "index": True}, None, None),
        ({"id": 1.5, "index": -1}, None, None),
        ({"id": 0, "index": "first"}, None, None),
        ({"id": [1], "index": {}}, None, None),
        ({"id": "1" * 30}, None, None),
        ({"id": "\u0661"}, None, None),
    ],
)
def test_numbers_are_understood_as_text_too_and_nothing_else_is(raw, id_, index):
    read = ItemResult.from_json({"success": True, **raw})
    assert (read.id, read.index) == (id_, index)


@pytest.mark.parametrize(
    ("code", "text", "kinds"),
    [
        ("UpdateConflict", "", "conflict"),
        ("conflict", "", "conflict"),
        ("update conflict", "", "conflict"),
        ("", "Update conflict", "conflict"),
        ("RecordNotFound", "", "not_found"),
        ("", "Not found", "not_found"),
        ("DatabaseConflict", "", "passing"),
        ("DatabaseDeadlock", "", "passing"),
        ("ServiceUnavailable", "", "passing"),
        ("LockWaitTimeout", "", "passing"),
        ("", "Database collision", "passing"),
        ("TicketUpdateFailed", "Database collision", "passing"),
        # What only words say is judged by reading the ticket.
        ("TicketUpdateFailed", "Safe Update prevented the update due to outdated ticket data.", ""),
        ("TicketUpdateFailed", "Status: closed prevents ticket update", ""),
        ("TicketUpdateFailed", "Not found", ""),
        ("TicketUpdateFailed", "Field “Timeout”: is required", ""),
        ("TicketUpdateFailed", "Conflict of interest: is required", ""),
        ("RecordInvalid", "", ""),
        ("", "", ""),
    ],
)
def test_the_reasons_that_codes_name_are_distinguished(code, text, kinds):
    result = ItemResult(1, None, False, code, text)
    found = {"passing": result.is_passing, "conflict": result.is_conflict, "not_found": result.is_not_found}
    assert " ".join(kind for kind, is_it in found.items() if is_it) == kinds


@pytest.mark.parametrize("result", [(True, True), (False, False)])
def test_only_a_failure_has_a_reason(result):
    ok, has_verdict = result
    for code in ("UpdateConflict", "RecordNotFound", "DatabaseConflict"):
        item = ItemResult(1, None, ok, code, has_verdict=has_verdict)
        assert [item.is_conflict, item.is_passing, item.is_not_found] == [False, False, False]


def test_an_unknown_status_counts_as_running_and_logs_a_warning(caplog):
    read = JobStatus.from_json({"id": "V3-1", "status": "hibernating"})
    assert not read.is_over
    assert not read.succeeded
    assert caplog.messages == ["bulk job V3-1 has the unknown status 'hibernating'; taken as still running"]


def test_numbers_and_words_of_another_kind_count_as_not_given():
    raw = {"id": 7, "status": "working", "total": True, "progress": "3", "message": ["x"], "results": None}
    assert JobStatus.from_json(raw) == JobStatus("7", "working")


def test_a_killed_job_has_ended_without_success():
    read = JobStatus.from_json({"id": "V3-1", "status": "killed"})
    assert (read.is_over, read.succeeded) == (True, False)


def test_results_that_are_not_objects_are_ignored_with_a_warning(caplog):
    raw = {"id": "V3-1", "status": "completed", "results": ["?", None, {"id": 5, "success": True}]}
    assert JobStatus.from_json(raw).results == [ItemResult(5, None, True)]
    assert caplog.messages == ["ignored 2 results of a bulk job that are not objects"]


@pytest.mark.parametrize(
    "raw", [None, [], {}, {"id": "V3-1"}, {"status": "queued"}, {"id": "", "status": "queued"}]
)
def test_a_job_without_an_id_or_a_status_is_refused(raw):
    with pytest.raises(UnexpectedAnswer, match="without an id or without a status"):
        JobStatus.from_json(raw)


def test_what_zendesk_sent_besides_is_kept_and_shown_nowhere():
    raw = {
        "id": "V3-1",
        "status": "completed",
        "results": [{"id": 5, "success": True, "title": "My printer"}],
    }
    read = JobStatus.from_json(raw)
    assert read.results is not None
    assert (read.raw, read.results[0].raw) == (raw, raw["results"][0])
    assert [word in repr(read) for word in ("V3-1", "5", "printer", "raw")] == [True, True, False, False]


def test_good_results_are_nothing_to_warn_of(caplog):
    JobStatus.from_json({"id": "V3-1", "status": "completed", "results": [{"id": 5, "success": True}]})
    assert caplog.messages == []
