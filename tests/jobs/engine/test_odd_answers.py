"""An answer that cannot be understood is not a Zendesk that is away."""

from __future__ import annotations

import math
from typing import Any

import pytest
from django.utils import timezone

from jobs import actions
from jobs.engine import execution, lost_search, selection
from jobs.models import Job
from jobs.reports import recount
from jobs.states import Status
from tagmanager.account import connection
from tagmanager.changes import ticket_work
from tests.demo import ANA, Demo, counts, outcomes, run, submit
from zendesk import sandbox as zd

READ = "GET /api/v2/tickets/show_many"
VIEW = f"GET /api/v2/views/{zd.VIEW_UNSOLVED}/tickets"
EXPORT = "GET /api/v2/search/export"
ALL = "GET /api/v2/incremental/tickets/cursor"
STATUS = "GET /api/v2/job_statuses/show_many"


@pytest.fixture(autouse=True)
def without_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lost_search, "LOST_SEARCH_DELAY", 0.0)


def history(job: Job) -> list[str]:
    return [line.why for line in job.transitions.all()]


def go_on(job: Job) -> Job:
    """Continue a job whose wait is over."""
    Job.objects.filter(pk=job.pk).update(resumes_at=timezone.now())
    return run(job)


def counted(demo: Demo) -> None:
    """Have Zendesk count the view, which its first answer only begins."""
    with connection.connect() as zendesk:
        zendesk.view_count(zd.VIEW_UNSOLVED)


def untagged(demo: Demo, number: int) -> list[int]:
    return [ref for ref in demo.open_tickets if "vip" not in demo.tags(ref)][:number]


# Records


def test_null_tags_are_no_tags(demo: Demo) -> None:
    refs = untagged(demo, 3)
    demo.fault("odd_records", on=READ, ids=refs[:1], change={"tags": None}, times=None)
    job = run(submit(refs=refs))
    assert outcomes(job) == dict.fromkeys(refs, "changed")


ODD = [
    ({"change": {"tags": "a b"}}, "its tags are text"),
    ({"change": {"tags": [1]}}, "one of its tags is a number"),
    ({"drop": ["tags"]}, "its tags are missing"),
    ({"change": {"status": None}}, "its status is null"),
    ({"drop": ["updated_at"]}, "its updated_at is missing"),
    ({"change": {"id": None}}, "its record came without a usable id"),
    ({"change": {"id": 0}}, "its record came without a usable id"),
]


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize(("params", "odd"), ODD)
def test_an_odd_ticket_fails_by_its_number_and_the_others_go_on(
    demo: Demo, monkeypatch: pytest.MonkeyPatch, params: dict[str, Any], odd: str, is_late: bool
) -> None:
    if is_late:
        monkeypatch.setattr(selection, "READ_LATE_ABOVE", 0)
    refs = untagged(demo, 5)
    demo.fault("odd_records", on=READ, ids=refs[1:2], times=None, **params)
    job = run(submit(refs=refs))
    assert outcomes(job) == dict.fromkeys(refs, "changed") | {refs[1]: "failed"}
    item = job.items.get(ref=refs[1])
    assert (item.reason, item.before, item.change) == ("odd_record", None, None)
    assert item.detail == f"Zendesk sent a record of the ticket that cannot be read: {odd}."
    assert (job.status, list(recount.drifts())) == (Status.PARTIAL, [])
    assert dict(demo.account.ledger.sent) == dict.fromkeys([ref for ref in refs if ref != refs[1]], 1)


def test_odd_tickets_open_no_circuit_breaker(demo: Demo) -> None:
    refs = untagged(demo, 120)
    demo.fault("odd_records", on=READ, ids=refs[:100], change={"status": None}, times=None)
    job = run(submit(refs=refs))
    assert (job.status, counts(job)) == ("partial", {"changed": 20, "failed": 100})


@pytest.mark.parametrize("source", [{"view": zd.VIEW_UNSOLVED}, {"search": "status<solved"}])
def test_a_record_without_a_number_is_told_in_the_history(demo: Demo, source: dict[str, Any]) -> None:
    on = VIEW if "view" in source else EXPORT
    demo.fault("odd_records", on=on, change={"id": None})
    job = run(submit(**source, limit=50))
    assert (job.status, job.total) == ("succeeded", 50)
    assert (
        "Zendesk listed 1 record without a usable ticket number; it is not in this job. "
        "Zendesk sent a ticket whose id is null."
    ) in history(job)


def test_a_page_of_which_nothing_can_be_read_is_an_odd_answer(demo: Demo) -> None:
    first = demo.account.view_ticket_ids(zd.VIEW_UNSOLVED)
    demo.fault("odd_records", on=VIEW, ids=first, change={"id": None}, times=None)
    job = run(submit(view=zd.VIEW_UNSOLVED))
    assert (job.status, job.waiting_for) == ("waiting", "service_away")


def test_a_ticket_whose_result_was_lost_and_whose_record_is_odd_is_unverified(demo: Demo) -> None:
    refs = untagged(demo, 3)
    demo.fault("results_missing", count=3)
    demo.fault("odd_records", on=READ, ids=refs[:1], change={"tags": "x"}, after=1, times=None)
    job = run(submit(refs=refs, remove=["never"], add=["vip"]))
    assert outcomes(job) == dict.fromkeys(refs, "changed") | {refs[0]: "unverified"}
    assert job.items.get(ref=refs[0]).reason == "odd_record"


def test_characters_that_databases_refuse_do_no_harm(demo: Demo) -> None:
    refs = [ref for ref in untagged(demo, 400) if demo.tags(ref)][:5]
    for on in (READ, STATUS):
        demo.fault("odd_characters", on=on, times=None)
    demo.fault("item_error", ids=refs[:1], text="Not allowed", times=None)
    job = run(submit(refs=refs))
    assert outcomes(job) == dict.fromkeys(refs, "changed") | {refs[0]: "failed"}
    assert job.items.get(ref=refs[0]).detail == "Not allowed\ufffd\ufffd"
    before = job.items.get(ref=refs[1]).before
    assert before is not None
    assert set(before["tags"]) == {f"{tag}\ufffd\ufffd" for tag in demo.tags(refs[1]) - {"vip"}}


# Answers


@pytest.mark.parametrize("on", [READ, STATUS])
def test_five_equal_odd_answers_need_a_person(demo: Demo, on: str) -> None:
    refs = untagged(demo, 3)
    demo.fault("odd_answer", on=on, times=None)
    job = run(submit(refs=refs))
    for _ in range(3):
        assert (job.status, job.waiting_for) == ("waiting", "service_away")
        job = go_on(job)
    assert job.status == "waiting"
    job = go_on(job)
    assert job.status == "errored"
    assert f"(The call was {on}.json.)" in job.error
    assert "5 times in a row" in job.error
    assert "resume tries again" in job.error
    actions.resume(job=job, by=ANA)
    job = run(job)
    assert job.status == "waiting"  # the count begins again
    demo.account.faults.clear()
    assert outcomes(go_on(job)) == dict.fromkeys(refs, "changed")


def test_another_odd_answer_begins_the_count_again(demo: Demo) -> None:
    demo.fault("odd_answer", on=READ, times=4)
    demo.fault("odd_answer", on=READ, body={"tickets": 7, "error": None}, times=1)
    job = run(submit(refs=untagged(demo, 3)))
    for _ in range(4):
        assert job.status == "waiting"
        job = go_on(job)
    assert job.status == "succeeded"


def test_a_page_instead_of_an_answer_that_stays_needs_a_person(demo: Demo, monkeypatch: Any) -> None:
    monkeypatch.setattr(execution, "MOST_ODD_ANSWERS", 2)
    demo.fault("html", on=READ, times=None)
    job = go_on(run(submit(refs=untagged(demo, 3))))
    assert job.status == "errored"
    assert "did not send complete JSON" in job.error


def test_a_job_that_is_being_paused_does_not_wait_for_ever(demo: Demo) -> None:
    demo.fault("odd_answer", on=STATUS, times=None)
    job = run(submit(refs=untagged(demo, 3)))
    actions.pause(job=job, by=ANA)
    job.refresh_from_db()
    assert job.status == "pausing"
    for _ in range(3):
        job = go_on(job)
        assert job.status == "pausing"
    job = go_on(job)
    assert job.status == "errored"


# Lists that end oddly


SOURCES: list[tuple[dict[str, Any], str]] = [
    ({"view": zd.VIEW_UNSOLVED}, VIEW),
    ({"search": "status<closed"}, EXPORT),
]
KINDS = ["cursor_repeats", "has_more_without_cursor"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("source", "on"), SOURCES)
def test_a_list_that_ends_oddly_is_complete_where_the_count_agrees(
    demo: Demo, kind: str, source: dict[str, Any], on: str
) -> None:
    plain = run(submit(**source, add=["first"])).total
    counted(demo)
    demo.fault(kind, on=on, times=None)
    job = run(submit(**source))
    assert (job.status, job.total) == ("succeeded", plain)
    (told,) = [line for line in history(job) if f"{plain:,} were found" in line]
    assert told.endswith(f"The list ends there: {plain:,} were found, and Zendesk counts {plain:,}.")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("source", "on"), SOURCES)
def test_a_list_that_breaks_off_before_its_count_stops_the_job(
    demo: Demo, kind: str, source: dict[str, Any], on: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticket_work, "_export_page", lambda _limit: 100)
    counted(demo)
    demo.fault(kind, on=on, after=1 if kind == "cursor_repeats" else 0, early=True, times=None)
    job = run(submit(**source))
    assert (job.status, job.changed) == ("errored", 0)
    assert "the others cannot be listed. Cancel this job" in job.error
    demo.account.faults.clear()
    actions.resume(job=job, by=ANA)
    assert run(job).status == "succeeded"


def test_an_export_of_all_tickets_that_repeats_its_cursor_is_at_its_end(demo: Demo) -> None:
    demo.fault("has_more_without_cursor", on=ALL, times=None)
    job = run(submit(all_tickets=True))
    assert job.total == 400
    assert any(line.endswith("after 400: no count tells otherwise.") for line in history(job))


# Pages of exports


@pytest.mark.parametrize("source", [{"search": "status<closed"}, {"all_tickets": True}])
def test_a_list_is_read_in_large_pages_and_in_smaller_ones_where_these_fail(
    demo: Demo, source: dict[str, Any]
) -> None:
    on = EXPORT if "search" in source else ALL
    job = run(submit(**source, dry_run=True))
    assert demo.calls(on.replace("/api/v2/", "")) == 1
    demo.fault("page_too_large", on=on, above=150, times=None)
    again = run(submit(**source, dry_run=True))
    assert again.total == job.total
    # 1,000, 500 and 250 are refused, and pages of 125 go through.
    assert demo.calls(on.replace("/api/v2/", "")) == 1 + 3 + math.ceil((again.total or 0) / 125)
    assert not again.transitions.filter(to_status="waiting").exists()


def test_no_page_is_larger_than_a_job_with_a_limit_needs(demo: Demo) -> None:
    assert [ticket_work._export_page(limit) for limit in (None, 1, 100, 101, 990, 5000)] == [
        1000, 100, 100, 200, 1000, 1000,
    ]  # fmt: skip
