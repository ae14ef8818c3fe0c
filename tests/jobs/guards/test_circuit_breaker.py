"""A job whose tickets are mostly refused stops itself, says why, and can be resumed."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from jobs import actions
from jobs.common.process_id import this_process
from jobs.engine import lost_search, pipeline
from jobs.engine.settler import Settler
from jobs.guards import circuit_breaker
from jobs.guards.circuit_breaker import BatchRefusals, RefusalWindow
from jobs.models import Item, Job
from jobs.runtime.lease import LeaseLost
from jobs.states import FollowUp, Status
from jobs.views.inline_run import run_inline
from jobs.workers.reaper import MAX_CRASHES, reap
from tagmanager.changes.ticket_work import TicketWork
from tests import factories
from tests.demo import ANA, Demo, counts, follow, outcomes, run, submit
from tests.processes import command

SENTENCE = (
    "Stopped: Zendesk refused {} of the last {} tickets, {} because: “Resolution: is required” Mend that, "
    "then resume: nothing is lost. What failed can be retried when the job has ended."
)


@pytest.fixture(autouse=True)
def one_batch_at_a_time(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a test can say which batches were settled when the breaker opened."""
    settings.ZENDESK_MAX_JOBS = 1
    monkeypatch.setattr(pipeline, "SENT_AT_ONCE", 1)
    monkeypatch.setattr(lost_search, "LOST_SEARCH_DELAY", 0.0)


def untagged(demo: Demo, number: int) -> list[int]:
    refs = [ref for ref in demo.open_tickets if "vip" not in demo.tags(ref)][:number]
    assert len(refs) == number
    return refs


def refuse(demo: Demo, ids: list[int], *, text: str = "Resolution: is required") -> None:
    demo.fault("item_error", ids=ids, times=None, code="RecordInvalid", text=text)


def batch_of(*parts: tuple[str, str, int]) -> list[Item]:
    """For each part its number of items, with an outcome and a reason."""
    return [Item(outcome=outcome, reason=reason) for outcome, reason, number in parts for _ in range(number)]


def test_the_window_holds_the_last_two_hundred_items_with_their_reasons() -> None:
    window = RefusalWindow()
    for refused in (50, 0, 60, 60):
        window = window.after(batch_of(("failed", "closed", refused), ("changed", "", 100 - refused)))
    assert window == RefusalWindow(
        (BatchRefusals(100, Counter(closed=60)), BatchRefusals(100, Counter(closed=60)))
    )
    assert window.is_open
    assert RefusalWindow.from_json(window.to_json()) == window
    assert window.after(batch_of(("changed", "", 100))) == window


@pytest.mark.parametrize(
    ("refused", "done", "is_open"),
    [(49, 0, False), (50, 0, True), (25, 25, False), (26, 24, True), (100, 100, False), (101, 99, True)],
)
def test_it_opens_at_fifty_sent_if_more_than_half_are_refused(refused: int, done: int, is_open: bool) -> None:
    assert RefusalWindow().after(batch_of(("failed", "x", refused), ("changed", "", done))).is_open is is_open


def test_items_that_were_not_sent_or_are_sent_again_do_not_count() -> None:
    some = batch_of(
        ("skipped", "closed", 60), ("unchanged", "", 60), ("pending", "", 60), ("unverified", "", 9)
    )
    assert RefusalWindow().after(some) == RefusalWindow((BatchRefusals(9, Counter()),))


@pytest.mark.parametrize(
    ("refused", "part"),
    [
        ({"required": 30}, "all"),
        ({"required": 29, "closed": 28}, "most"),
        ({"required": 29, "closed": 29}, "many"),
        ({"required": 10, "closed": 9, "other": 9}, "many"),
    ],
)
def test_the_sentence_says_how_many_were_refused_for_the_commonest_reason(
    db: None, refused: dict[str, int], part: str
) -> None:
    job = factories.job("running", total=100)
    factories.item(job, 7, "failed", reason="required", detail="Another one is required")
    factories.item(job, 8, "failed", reason="required", detail="Resolution: is required")
    factories.item(job, 9, "failed", reason="closed", detail="It is closed")
    window = RefusalWindow((BatchRefusals(60, Counter()), BatchRefusals(1_000, Counter(refused))))
    assert circuit_breaker.stop_reason(job, window) == SENTENCE.format(sum(refused.values()), "1,060", part)


@pytest.mark.parametrize(
    ("reason", "words"), [("field_required", "field required"), ("", "no reason was given")]
)
def test_where_zendesk_gave_no_words_the_reason_is_given(db: None, reason: str, words: str) -> None:
    window = RefusalWindow((BatchRefusals(60, Counter({reason: 60})),))
    assert f"all because: “{words}” Mend that" in circuit_breaker.stop_reason(factories.job(), window)


def test_a_job_that_is_mostly_refused_stops_with_the_reason_and_the_number(demo: Demo) -> None:
    refs = untagged(demo, 300)
    refuse(demo, refs[50:100] + refs[120:180])
    job = run(submit(refs=refs))
    assert (job.status, counts(job)) == ("errored", {"changed": 90, "failed": 110, "remaining": 100})
    assert job.error == SENTENCE.format(110, 200, "all")
    last = job.transitions.order_by("-id")[0]
    assert (last.from_status, last.to_status, last.why) == ("running", "errored", job.error)


def test_the_most_common_reason_is_given(demo: Demo) -> None:
    refs = untagged(demo, 200)
    refuse(demo, refs[:40])
    demo.fault("item_error", ids=refs[40:60], times=None, code="Other", text="Something else")
    job = run(submit(refs=refs))
    assert job.error == SENTENCE.format(60, 100, "most")


def test_resume_empties_the_window_and_a_lasting_cause_stops_the_job_again(demo: Demo) -> None:
    refs = untagged(demo, 250)
    refuse(demo, refs)
    made = submit(refs=refs)
    job = run(made)
    assert (job.status, job.failed) == ("errored", 100)
    actions.resume(job=job, by=ANA)
    job = run(job)
    assert (job.status, job.failed, job.error) == ("errored", 200, SENTENCE.format(100, 100, "all"))
    demo.account.faults.clear()
    actions.resume(job=job, by=ANA)
    job = run(job)
    assert (job.status, counts(job)) == ("partial", {"failed": 200, "changed": 50})
    assert outcomes(follow(job, FollowUp.RETRY)) == dict.fromkeys(refs[:200], "changed")
    assert dict(demo.account.ledger.updates) == dict.fromkeys(refs, 1)


def test_nothing_is_stopped_when_nothing_is_left_to_send(demo: Demo) -> None:
    refs = untagged(demo, 60)
    refuse(demo, refs)
    assert run(submit(refs=refs)).status == "partial"


def test_what_is_in_flight_when_it_opens_is_settled_before_the_job_stops(demo: Demo, settings: Any) -> None:
    settings.ZENDESK_MAX_JOBS = 3
    demo.account.configure(scale=0.02)
    refs = untagged(demo, 320)
    refuse(demo, refs[:100])
    job = run(submit(refs=refs))
    assert (job.status, counts(job)) == ("errored", {"failed": 100, "changed": 200, "remaining": 20})
    assert job.error == SENTENCE.format(100, 100, "all")
    assert set(job.batches.values_list("state", flat=True)) == {"settled", "pending"}


def test_conflicts_that_are_sent_again_do_not_count_as_refusals(demo: Demo) -> None:
    refs = untagged(demo, 200)
    demo.fault("conflict", ids=refs, times=3)
    job = run(submit(refs=refs))
    assert (job.status, counts(job)) == ("succeeded", {"changed": 200})


def test_a_broken_batch_counts_only_once_its_tickets_fail(demo: Demo) -> None:
    refs = untagged(demo, 150)
    demo.fault("poison", ids=[refs[42]], times=None)
    job = run(submit(refs=refs))
    assert (job.status, counts(job)) == ("partial", {"changed": 149, "failed": 1})


def test_refused_calls_stop_the_job_before_every_batch_is_sent(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The halves of the first batch go first: single tickets fail while the other batches still wait."""
    monkeypatch.setattr(TicketWork, "batch_size", 8)
    monkeypatch.setattr(circuit_breaker, "MIN_SENT", 4)
    refs = untagged(demo, 24)
    demo.fault("job_failed", times=None)
    job = run(submit(refs=refs))
    assert (job.status, job.failed) == ("errored", 4)
    assert set(demo.account.ledger.sent) == set(refs[:8])


def test_a_worker_that_takes_over_knows_the_window(demo: Demo, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a crash between the settling of the batch and the stop."""
    refs = untagged(demo, 250)
    refuse(demo, refs)
    made = submit(refs=refs)
    settle = Settler._write

    def die_after(self: Settler, *given: object) -> None:
        settle(self, *given)  # type: ignore[arg-type]
        raise LeaseLost("the worker was killed")

    with monkeypatch.context() as patch:
        patch.setattr(Settler, "_write", die_after)
        run(made)
    Job.objects.update(lease_token="", lease_owner="", beat_at=None)
    job = run(made.job)
    assert (job.status, job.failed) == ("errored", 100)
    assert dict(demo.account.ledger.sent) == dict.fromkeys(refs[:100], 1)


def test_a_requested_pause_does_not_hide_the_stop_and_a_cancel_wins(demo: Demo) -> None:
    for stop, status in ((actions.pause, "errored"), (actions.cancel, "cancelled")):
        refs = untagged(demo, 150)
        refuse(demo, refs)
        made = submit(refs=refs)

        def click(made: actions.Submission = made, stop: object = stop) -> None:
            made.job.refresh_from_db()
            if made.job.failed and made.job.status == Status.RUNNING:
                stop(job=made.job, by=ANA)  # type: ignore[operator]

        assert run(made, tick=click).status == status


def test_retry_and_undo_have_a_circuit_breaker_too(demo: Demo) -> None:
    refs = untagged(demo, 200)
    demo.fault("item_error", ids=refs[:100], code="RecordInvalid", text="Resolution: is required")
    demo.fault("item_error", ids=refs[100:], after=1, times=1, code="RecordInvalid", text="Busy")
    job = run(submit(refs=refs))
    actions.resume(job=job, by=ANA)
    job = run(job)
    assert (job.status, counts(job)) == ("partial", {"failed": 200})
    refuse(demo, refs)
    retry = follow(job, FollowUp.RETRY)
    assert (retry.status, counts(retry)) == ("errored", {"failed": 100, "remaining": 100})
    actions.cancel(job=retry, by=ANA)
    demo.account.faults.clear()
    assert counts(follow(job, FollowUp.RETRY)) == {"changed": 200}
    done = Job.objects.latest("pk")
    refuse(demo, refs)
    undo = follow(done, FollowUp.UNDO)
    assert (undo.status, counts(undo)) == ("errored", {"failed": 100, "remaining": 100})


def test_a_small_job_inside_a_request_stops_too(demo: Demo) -> None:
    refs = untagged(demo, 150)
    refuse(demo, refs)
    made = submit(refs=refs)
    run_inline(made)
    made.job.refresh_from_db()
    assert (made.job.status, made.job.failed) == ("errored", 100)


def test_a_command_exits_with_one_and_show_gives_the_reason_and_the_remedy(demo: Demo) -> None:
    refs = untagged(demo, 150)
    refuse(demo, refs)
    numbers = ",".join(map(str, refs))
    ran = command("tag_tickets", "--ids", numbers, "--add", "vip", "--yes")
    assert ran.code == 1
    assert ran.err.strip().endswith(SENTENCE.format(100, 100, "all"))
    job = Job.objects.get()
    shown = command("jobs", "show", str(job.pk)).out
    assert f"  {job.error}\n" in shown
    assert "RecordInvalid 100 (such as" in shown
    assert f"manage.py jobs resume {job.pk}" in shown


def test_three_workers_lost_without_a_settled_batch_stop_the_job(db: None) -> None:
    host, boot, _, _, namespace = this_process().split("/")
    job = factories.job(Status.RUNNING, total=0)
    for death in range(1, MAX_CRASHES + 1):
        Job.objects.update(lease_token=f"token{death}", lease_owner=f"{host}/{boot}/999999999/1/{namespace}")
        assert reap() == 1
        job.refresh_from_db()
        if death < MAX_CRASHES:
            assert (job.status, job.waiting_for) == ("waiting", "worker_lost")
            Job.objects.update(status=Status.RUNNING, waiting_for="", resumes_at=None)
    assert (job.status, job.crash_count) == ("errored", 3)
    assert job.error == (
        "Stopped: 3 workers died on this job one after the other without getting a batch done. Look into the "
        "worker's log (often it is memory), then resume: nothing is lost."
    )
    actions.resume(job=job, by=ANA)
    job.refresh_from_db()
    assert (job.status, job.crash_count, job.error) == ("queued", 0, "")


def test_a_settled_batch_resets_the_count_of_lost_workers(demo: Demo) -> None:
    refs = untagged(demo, 150)
    made = submit(refs=refs)
    Job.objects.update(crash_count=2)
    assert run(made).crash_count == 0
