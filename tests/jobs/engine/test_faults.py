"""Every ticket gets a true outcome when Zendesk has a bad day."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor, Future
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs import actions
from jobs.engine import execution, lost_search, pipeline
from jobs.models import Batch, Gate, Job
from jobs.runtime.time_slice import TimeSlice
from jobs.states import FollowUp
from tagmanager.changes import ticket_work
from tests.demo import ANA, Demo, counts, demo_zendesk, follow, outcomes, run, submit
from zendesk.transport import requestor


@pytest.fixture(autouse=True)
def search_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lost batches are searched for without a pause."""
    monkeypatch.setattr(lost_search, "LOST_SEARCH_DELAY", 0.0)


def untagged(demo: Demo, number: int) -> list[int]:
    return [ref for ref in demo.open_tickets if "vip" not in demo.tags(ref)][:number]


def test_a_ticket_in_conflict_is_read_again_and_sent_alone(demo: Demo) -> None:
    refs = untagged(demo, 100)
    demo.fault("conflict", ids=refs[:3])
    job = run(submit(refs=refs))
    assert outcomes(job) == dict.fromkeys(refs, "changed")
    assert [batch.size for batch in job.batches.order_by("id")] == [100, 3]
    assert dict(demo.account.ledger.updates) == dict.fromkeys(refs, 1)


def test_a_ticket_that_always_conflicts_is_sent_four_times_and_then_fails(demo: Demo) -> None:
    refs = untagged(demo, 5)
    demo.fault("conflict", ids=refs[:1], times=None)
    job = run(submit(refs=refs))
    assert job.status == "partial"
    assert counts(job) == {"changed": 4, "failed": 1}
    failed = job.items.get(ref=refs[0])
    assert (failed.reason, failed.detail[-14:]) == ("conflict", "(sent 4 times)")
    assert dict(demo.account.ledger.sent) == dict.fromkeys(refs[1:], 1) | {refs[0]: 4}


def test_a_ticket_of_which_no_result_ever_tells_is_sent_four_times_and_then_unverified(demo: Demo) -> None:
    """It is never updated and its result is left out, so that reading it back shows it as not done."""
    refs = untagged(demo, 5)
    demo.fault("item_error", ids=refs[-1:], times=None)
    demo.fault("results_missing", times=None)
    job = run(submit(refs=refs))
    assert counts(job) == {"changed": 4, "unverified": 1}
    left = job.items.get(ref=refs[-1])
    assert (left.reason, left.detail) == ("no_result", "No result was given. (sent 4 times)")
    assert dict(demo.account.ledger.sent) == dict.fromkeys(refs[:-1], 1) | {refs[-1]: 4}


def test_a_ticket_that_alone_breaks_its_batch_is_sent_twice_and_then_fails(demo: Demo) -> None:
    (ref,) = refs = untagged(demo, 1)
    demo.fault("poison", ids=refs, times=None)
    job = run(submit(refs=refs))
    failed = job.items.get()
    assert (failed.outcome, failed.reason, failed.detail[-14:]) == (
        "failed",
        "batch_failed",
        "(sent 2 times)",
    )
    assert dict(demo.account.ledger.sent) == {ref: 2}


def test_a_batch_without_a_result_four_times_goes_in_halves_once_more(demo: Demo) -> None:
    refs = untagged(demo, 4)
    demo.fault("item_error", ids=refs, times=None)
    demo.fault("results_null", times=None)
    job = run(submit(refs=refs))
    assert counts(job) == {"unverified": 4}
    # Four times the whole, once each half, once each ticket alone.
    assert list(job.batches.order_by("id").values_list("attempt", "size")) == [
        (1, 4), (2, 4), (3, 4), (4, 4), (4, 2), (4, 2), (4, 1), (4, 1), (4, 1), (4, 1),
    ]  # fmt: skip
    assert dict(demo.account.ledger.sent) == dict.fromkeys(refs, 6)


PASSING = [("DatabaseConflict", "Database collision"), ("DatabaseDeadlock", "Database deadlock found")]


@pytest.mark.parametrize(("code", "text"), PASSING)
def test_a_ticket_with_a_passing_error_is_sent_again(demo: Demo, code: str, text: str) -> None:
    refs = untagged(demo, 100)
    demo.fault("item_error", ids=refs[:2], code=code, text=text)
    job = run(submit(refs=refs))
    assert outcomes(job) == dict.fromkeys(refs, "changed")
    assert [batch.size for batch in job.batches.order_by("id")] == [100, 2]
    assert dict(demo.account.ledger.updates) == dict.fromkeys(refs, 1)


@pytest.mark.parametrize(("code", "text"), PASSING)
def test_a_passing_error_that_does_not_pass_fails_the_ticket_with_zendesks_words(
    demo: Demo, code: str, text: str
) -> None:
    refs = untagged(demo, 5)
    demo.fault("item_error", ids=refs[:1], code=code, text=text, times=None)
    job = run(submit(refs=refs))
    failed = job.items.get(outcome="failed")
    assert (failed.ref, failed.reason, failed.detail) == (refs[0], code, f"{text} (sent 4 times)")
    assert counts(job) == {"changed": 4, "failed": 1}


COLLISION: dict[str, Any] = {"status": 409, "code": "DatabaseConflict", "text": "Database collision"}


def test_a_call_that_collides_is_made_again_with_the_whole_batch(demo: Demo) -> None:
    refs = untagged(demo, 100)
    demo.fault("refused", **COLLISION, times=3)
    job = run(submit(refs=refs))
    assert outcomes(job) == dict.fromkeys(refs, "changed")
    assert list(job.batches.order_by("id").values_list("attempt", "size")) == [
        (1, 100), (2, 100), (3, 100), (4, 100),
    ]  # fmt: skip


def test_a_call_that_always_collides_fails_its_tickets_after_four_tries(demo: Demo) -> None:
    refs = untagged(demo, 30)
    demo.fault("refused", **COLLISION, times=None)
    job = run(submit(refs=refs))
    assert counts(job) == {"failed": 30}
    failed = job.items.order_by("ref")[0]
    assert failed.reason == "DatabaseConflict"
    assert failed.detail.endswith("Zendesk says: Database collision (sent 4 times)")
    assert demo.account.ledger.answers[409] == 4


ACCOUNT_REFUSALS = [
    ({"status": 402, "code": "PaymentRequired"}, "asks for a payment"),
    ({"status": 403, "html": True}, "answers with a page that blocks this program"),
    ({"status": 403, "code": "AccountSuspended"}, "may be suspended"),
    ({"status": 405, "code": "MethodNotAllowed"}, "refused the call (HTTP 405)"),
]


@pytest.mark.parametrize(("params", "words"), ACCOUNT_REFUSALS)
def test_a_refusal_of_the_whole_account_stops_the_job_after_one_call(
    demo: Demo, params: dict[str, Any], words: str
) -> None:
    refs = untagged(demo, 100)
    demo.fault("refused", **params, times=None)
    job = run(submit(refs=refs))
    assert (job.status, counts(job)) == ("errored", {"remaining": 100})
    assert words in job.error
    assert demo.account.ledger.answers[params["status"]] == 1
    demo.account.faults.clear()
    actions.resume(job=job, by=ANA)
    assert outcomes(run(job)) == dict.fromkeys(refs, "changed")


@pytest.mark.parametrize("paging", ["cursor", "number", "none"])
def test_a_lost_answer_is_found_again_however_the_list_of_jobs_is_paged(demo: Demo, paging: Any) -> None:
    demo.account.configure(paging=paging, page_size=2)
    for ref in demo.open_tickets[-5:]:  # their jobs come first in the list
        demo.update_as_others(ref)
    refs = untagged(demo, 100)
    demo.fault("reset_after")
    job = run(submit(refs=refs))
    assert outcomes(job) == dict.fromkeys(refs, "changed")
    assert dict(demo.account.ledger.updates) | dict.fromkeys(refs, 1) == dict(demo.account.ledger.updates)
    assert {demo.account.ledger.sent[ref] for ref in refs} == {1}


def test_a_batch_settles_where_zendesk_tells_of_single_jobs_alone(demo: Demo) -> None:
    demo.account.configure(jobs_show_many=False)
    refs = untagged(demo, 250)
    job = run(submit(refs=refs))
    assert outcomes(job) == dict.fromkeys(refs, "changed")
    assert demo.calls("GET job_statuses/{job_id}") == 3
    assert demo.calls("GET job_statuses") == 0


def test_batches_are_read_back_where_zendesk_tells_of_no_job(demo: Demo) -> None:
    demo.account.configure(jobs_show_many=False)
    for path in ("GET /api/v2/job_statuses/V3", "GET /api/v2/job_statuses"):
        demo.fault("refused", on=path, status=404, code="RecordNotFound", times=None)
    refs = untagged(demo, 100)
    job = run(submit(refs=refs))
    assert outcomes(job) == dict.fromkeys(refs, "changed")
    assert dict(demo.account.ledger.updates) == dict.fromkeys(refs, 1)


def test_a_ticket_that_zendesk_refuses_fails_alone_with_its_words(demo: Demo) -> None:
    refs = untagged(demo, 100)
    demo.fault("item_error", ids=[refs[7]], code="TicketUpdateFailed", text="Group: is not allowed")
    job = run(submit(refs=refs))
    failed = job.items.get(outcome="failed")
    assert (failed.ref, failed.reason, failed.detail) == (
        refs[7],
        "TicketUpdateFailed",
        "Group: is not allowed",
    )
    assert counts(job) == {"changed": 99, "failed": 1}


def test_a_ticket_that_breaks_its_whole_batch_is_isolated(demo: Demo) -> None:
    refs = untagged(demo, 100)
    demo.fault("poison", ids=[refs[42]], times=None)
    job = run(submit(refs=refs))
    assert job.items.get(outcome="failed").ref == refs[42]
    assert counts(job) == {"changed": 99, "failed": 1}
    assert dict(demo.account.ledger.updates) == dict.fromkeys(set(refs) - {refs[42]}, 1)


def test_a_ticket_deleted_meanwhile_is_skipped(demo: Demo) -> None:
    refs = untagged(demo, 5)
    made = submit(refs=refs)

    def delete_one() -> None:
        if refs[2] in demo.account.ticket_ids() and made.job.items.exists():
            demo.account.delete(refs[2])

    job = run(made, tick=delete_one)
    assert outcomes(job) == {ref: "skipped" if ref == refs[2] else "changed" for ref in refs}


def test_a_job_waits_without_hammering_while_other_jobs_fill_zendesks_queue(demo: Demo) -> None:
    refs = untagged(demo, 50)
    demo.fault("too_many_jobs", times=None)
    job = run(submit(refs=refs))
    assert (job.status, job.waiting_for) == ("waiting", "job_slots")
    assert job.resumes_at is not None
    assert demo.calls("PUT tickets/update_many") <= 2
    demo.account.faults.clear()
    Job.objects.update(resumes_at=timezone.now())
    assert outcomes(run(job)) == dict.fromkeys(refs, "changed")


def test_a_job_waits_while_zendesk_is_away_and_then_continues(demo: Demo) -> None:
    refs = untagged(demo, 50)
    demo.fault("server_error_before", on="* /api/v2", times=None, status=503)
    job = run(submit(refs=refs))
    assert (job.status, job.waiting_for) == ("waiting", "service_away")
    demo.account.faults.clear()
    Job.objects.update(resumes_at=timezone.now())
    assert outcomes(run(job)) == dict.fromkeys(refs, "changed")


def test_a_long_retry_after_parks_the_job_until_then(demo: Demo) -> None:
    refs = untagged(demo, 50)
    demo.fault("rate_limited", retry_after=90)
    before = timezone.now()
    job = run(submit(refs=refs))
    assert (job.status, job.waiting_for) == ("waiting", "rate_limit")
    assert job.resumes_at is not None
    least, most = timedelta(seconds=85), timedelta(seconds=100)
    assert before + least < job.resumes_at < timezone.now() + most
    assert job.lease_token == ""


def test_revoked_credentials_stop_the_job_and_resume_continues_it(demo: Demo, settings: Any) -> None:
    from jobs import actions
    from tests.demo import ANA

    refs = untagged(demo, 250)
    demo.fault("unauthorized", times=None, after=1)
    job = run(submit(refs=refs))
    assert job.status == "errored"
    assert "credentials" in job.error.lower()
    assert "demo-secret" not in job.error
    demo.account.faults.clear()
    actions.resume(job=job, by=ANA)
    assert outcomes(run(job)) == dict.fromkeys(refs, "changed")
    assert dict(demo.account.ledger.updates) == dict.fromkeys(refs, 1)


def test_a_refused_call_is_split_until_the_culprit_is_alone(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs.errors import Refused
    from tagmanager.changes.ticket_work import TicketWork

    refs = untagged(demo, 8)
    send = TicketWork.send

    def refuse_one(self: TicketWork, change: Any, items: Any) -> Any:
        if refs[5] in [item.ref for item in items]:
            raise Refused("Zendesk does not take this.", code="BadRequest")
        return send(self, change, items)

    monkeypatch.setattr(TicketWork, "send", refuse_one)
    job = run(submit(refs=refs))
    assert outcomes(job) == {ref: "failed" if ref == refs[5] else "changed" for ref in refs}
    assert job.items.get(ref=refs[5]).reason == "BadRequest"


def test_an_expired_cursor_restarts_the_list_without_listing_a_ticket_twice(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ticket_work, "_export_page", lambda _limit: 100)
    refs = demo.open_tickets[:250]
    for ref in refs:
        demo.account.edit(ref, add=["old"])
    made = submit(tag="old", remove=["old"])
    run(made, seconds=0.0)  # one page, then the time slice is over
    made.job.refresh_from_db()
    assert made.job.found == 100
    Job.objects.update(cursor_at=timezone.now() - timedelta(hours=2))
    job = run(made.job)
    assert outcomes(job) == dict.fromkeys(refs, "changed")


class AtOnce(Executor):
    """Makes each call before the job goes on: the clock of a test moves between calls, never during one."""

    def __init__(self, *_: object, **__: object) -> None: ...

    def submit(self, fn: Callable[..., Any], /, *args: Any, **options: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **options))
        return future


def test_tokens_that_expire_during_the_job_are_renewed(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requestor, "ThreadPoolExecutor", AtOnce)
    ahead = 0.0

    def move() -> None:
        nonlocal ahead
        ahead += 40.0

    with demo_zendesk(settings, token_life=60, clock=lambda: time.time() + ahead) as demo:
        refs = untagged(demo, 250)
        job = run(submit(refs=refs), tick=move)
        assert outcomes(job) == dict.fromkeys(refs, "changed")
        assert demo.calls("POST oauth/tokens") >= 2  # more if the polls take more steps than they must


def test_a_sent_ticket_that_vanished_is_unverified(demo: Demo) -> None:
    refs = untagged(demo, 3)
    demo.fault("results_null")
    made = submit(refs=refs)

    def delete_after_sending() -> None:
        if demo.account.ledger.sent and refs[0] in demo.account.ticket_ids():
            demo.account.delete(refs[0])

    job = run(made, tick=delete_after_sending)
    assert outcomes(job) == {refs[0]: "unverified", refs[1]: "changed", refs[2]: "changed"}
    assert job.status == "partial"
    assert outcomes(follow(job, FollowUp.RETRY)) == {refs[0]: "skipped"}


def test_after_a_lost_result_exact_tags_do_not_overwrite_a_later_change(demo: Demo) -> None:
    """What it looked like before the job stays on record, so that undo can give it back."""
    refs = untagged(demo, 3)
    before = {ref: demo.tags(ref) for ref in refs}
    demo.fault("results_null")
    made = submit(refs=refs, exact=["clean"])

    def edit_after_sending() -> None:
        if demo.account.ledger.sent and "theirs" not in demo.tags(refs[0]):
            demo.account.edit(refs[0], add=["theirs"], remove=["clean"])

    job = run(made, tick=edit_after_sending)
    assert outcomes(job) == {refs[0]: "unverified", refs[1]: "changed", refs[2]: "changed"}
    assert job.items.get(ref=refs[0]).reason == "touched_meanwhile"
    assert demo.tags(refs[0]) == {"theirs"}
    undone = follow(job, FollowUp.UNDO)
    assert outcomes(undone) == dict.fromkeys(refs, "changed")
    assert undone.items.get(ref=refs[0]).reason == "unverified"
    assert {ref: demo.tags(ref) for ref in refs} == before | {refs[0]: before[refs[0]] | {"theirs"}}


def test_the_next_worker_searches_for_a_batch_without_a_receipt(demo: Demo) -> None:
    """As after a crash between the call and the writing down of its answer."""
    refs = untagged(demo, 100)
    made = submit(refs=refs)
    Batch.objects.all().delete()

    def crash_after_the_call(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline.Pipeline, "_follow", crash_after_the_call)
        with pytest.raises(KeyboardInterrupt):
            run(made)
    assert made.job.batches.get().state == "sending"
    Job.objects.update(lease_token="", lease_owner="")
    job = run(made.job)
    assert outcomes(job) == dict.fromkeys(refs, "changed")
    assert dict(demo.account.ledger.updates) == dict.fromkeys(refs, 1)


def test_a_lost_batch_that_may_still_run_is_awaited_and_not_sent_again(demo: Demo) -> None:
    demo.account.configure(scale=0.05)
    refs = untagged(demo, 100)
    demo.fault("reset_after")
    job = run(submit(refs=refs))
    assert outcomes(job) == dict.fromkeys(refs, "changed")
    assert dict(demo.account.ledger.sent) == dict.fromkeys(refs, 1)


def test_a_lost_batch_that_is_found_is_settled_with_zendesks_words(demo: Demo) -> None:
    refs = untagged(demo, 10)
    demo.fault("item_error", ids=refs[:1], code="TicketUpdateFailed", text="Group: is not allowed")
    demo.fault("reset_after")
    job = run(submit(refs=refs))
    assert job.items.get(outcome="failed").detail == "Group: is not allowed"
    assert dict(demo.account.ledger.sent) == dict.fromkeys(refs, 1)


def test_a_missing_account_stops_the_job_with_an_explanation(demo: Demo, settings: Any) -> None:
    demo.fault("html", on="GET /api/v2/tickets/show_many", times=None, status=404)
    job = run(submit(refs=untagged(demo, 3)))
    assert job.status == "errored"
    assert "account" in job.error


def test_a_short_wait_that_outlasts_the_slice_leaves_the_job_to_the_next_worker(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    refs = untagged(demo, 50)
    demo.fault("rate_limited", retry_after=8)
    wait = execution._wait
    monkeypatch.setattr(
        execution, "_wait", lambda lease, seconds, _: wait(lease, seconds, TimeSlice(until=0.0))
    )
    before = timezone.now()
    job = run(submit(refs=refs))
    assert (job.status, job.lease_token) == ("running", "")
    assert job.resumes_at is not None
    assert job.resumes_at > before + timedelta(seconds=7)
    Job.objects.update(resumes_at=timezone.now())
    Gate.objects.all().delete()
    assert outcomes(run(job)) == dict.fromkeys(refs, "changed")
