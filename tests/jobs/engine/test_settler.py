"""What each answer about a batch makes of its items: an outcome, or a place in another batch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from jobs.engine import lost_search
from jobs.engine.exactly_once import UNVERIFIABLE
from jobs.errors import FateUnknown, Refused
from jobs.models import Batch, Job
from jobs.work import Answer, Change, DeliveryEvidence, Phase, Result, SearchResult, Verdict
from tests.jobs.engine.scripted import (
    DONE,
    Script,
    batches,
    goes_well,
    outcomes,
    run,
    scripted,
    silent,
    submitted,
    tells,
)

LATER = Result(Verdict.LATER, "conflict", "It was just changed.")
MADE, NOT_MADE = DeliveryEvidence.MADE, DeliveryEvidence.NOT_MADE


@pytest.fixture
def script(job_counts: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    written = Script()
    with scripted(written, settings, monkeypatch):
        yield written


def own(ref: int) -> Change:
    """Each item has its own change."""
    return Change({"set": [str(ref)]}, own=True)


def once(ref: int) -> Change:
    """Each item has its own change, which must not be made twice."""
    return Change({"note": ref}, own=True, once=True)


def test_each_verdict_is_recorded_with_its_words_and_the_others_are_changed(script: Script) -> None:
    script.sends = [
        tells(
            {
                2: Result(Verdict.REFUSED, "not_allowed", "The group is missing."),
                3: Result(Verdict.REFUSED),
                4: Result(Verdict.MISSING),
                5: Result(Verdict.MISSING, "gone", "It was merged."),
            }
        )
    ]
    job = run(submitted(6))
    assert outcomes(job) == {
        2: ("failed", "not_allowed", "The group is missing."),
        3: ("failed", "refused", ""),
        4: ("skipped", "not_found", "The ticket does not exist any more."),
        5: ("skipped", "not_found", "It was merged."),
    }
    assert batches(job, "state", "changed", "failed", "skipped", "note") == [("settled", 2, 2, 2, "")]
    assert (job.status, job.changed, job.failed, job.skipped) == ("partial", 2, 2, 2)
    assert (job.calls_write, job.calls_status) == (1, len(script.polled_at))
    assert script.read == []


def test_results_may_be_named_by_their_place_in_the_batch(script: Script) -> None:
    refused = Result(Verdict.REFUSED, "no", "No.")
    script.sends = [lambda _: Answer(Phase.OVER, {1: DONE}, by_place={0: DONE, 1: DONE, 2: refused})]
    assert outcomes(run(submitted(3))) == {3: ("failed", "no", "No.")}
    assert script.read_back == []


def test_an_item_whose_results_contradict_each_other_is_read_back(script: Script) -> None:
    refused = Result(Verdict.REFUSED, "no", "No.")
    script.sends = [
        lambda _: Answer(Phase.OVER, {1: DONE, 2: refused, 3: DONE}, by_place={0: refused, 1: DONE})
    ]
    script.applied = {2, 3}
    job = run(submitted(3))
    assert script.read_back == [[1, 2, 3]]
    assert (script.sent, outcomes(job), job.verified) == ([[1, 2, 3], [1]], {}, 2)


def test_what_passes_by_itself_is_read_and_sent_again_up_to_four_times(script: Script) -> None:
    script.sends = [tells({2: LATER, 3: LATER}), *[tells({3: LATER})] * 3]
    job = run(submitted(4))
    assert script.sent == [[1, 2, 3, 4], [2, 3], [3], [3]]
    assert script.read == [[2, 3], [3], [3]]
    assert outcomes(job) == {3: ("failed", "conflict", "It was just changed. (sent 4 times)")}
    assert batches(job, "attempt", "size", "changed", "failed", "note") == [
        (1, 4, 2, 0, ""),
        (2, 2, 1, 0, ""),
        (3, 1, 0, 0, ""),
        (4, 1, 0, 1, ""),
    ]


def test_a_passing_error_without_words_has_a_code_all_the_same(script: Script) -> None:
    script.sends = [tells({1: Result(Verdict.LATER)})] * 4
    assert outcomes(run(submitted(1))) == {1: ("failed", "later", "(sent 4 times)")}


def test_an_item_that_no_result_names_is_read_back(script: Script) -> None:
    script.sends = [tells({2: None, 3: None, 4: None})]
    script.applied, script.gone = {1, 2, 5}, {3}
    job = run(submitted(5))
    assert script.read_back[0] == [1, 2, 3, 4, 5]
    assert outcomes(job) == {
        3: (
            "unverified",
            "gone",
            "It was sent, but the result was lost and the ticket can no longer be seen.",
        )
    }
    assert script.sent == [[1, 2, 3, 4, 5], [4]]
    assert batches(job, "attempt", "size", "changed", "unverified") == [(1, 5, 3, 1), (2, 1, 1, 0)]


def test_an_item_that_no_result_ever_names_is_sent_four_times(script: Script) -> None:
    script.sends = [silent(Phase.OVER)] * 4
    job = run(submitted(1))
    assert outcomes(job) == {1: ("unverified", "no_result", "No result was given. (sent 4 times)")}
    assert script.sent == [[1]] * 4


def test_the_words_of_a_forgotten_batch_are_kept_with_it_and_with_what_fails(script: Script) -> None:
    script.sends = [silent(Phase.GONE, "Nobody knows it.")] * 4
    job = run(submitted(1))
    assert outcomes(job) == {1: ("unverified", "no_result", "Nobody knows it. (sent 4 times)")}
    assert batches(job, "note") == [("Nobody knows it.",)] * 4


def test_a_change_of_its_own_is_not_sent_again_where_somebody_touched_the_item(script: Script) -> None:
    script.plan = own
    script.sends = [silent(Phase.OVER)]
    script.touched, script.applied = {2}, {1}
    job = run(submitted(3))
    assert {ref: words[:2] for ref, words in outcomes(job).items()} == {
        2: ("unverified", "touched_meanwhile")
    }
    assert script.sent == [[1, 2, 3], [3]]
    assert list(job.items.order_by("ref").values_list("change", flat=True)) == [
        {"set": [str(ref)]} for ref in (1, 2, 3)
    ]


def test_what_is_carried_out_after_it_was_read_back_is_not_sent_again(script: Script) -> None:
    script.sends = [tells({1: None, 2: None})]
    script.applied, script.not_shown_by = {1, 2}, 1
    job = run(submitted(2))
    assert (script.sent, script.read_back, script.read) == ([[1, 2]], [[1, 2]], [[1, 2]])
    assert outcomes(job) == {}


def test_one_item_that_breaks_its_batch_is_isolated_by_halves_and_fails_after_two_tries(
    script: Script,
) -> None:
    def breaks(refs: Any) -> Answer:
        return Answer(Phase.FAILED, text="It broke.") if 4 in refs else goes_well(refs)

    script.sends = [breaks] * 20
    script.batch_size = 5
    job = run(submitted(10))
    assert script.sent == [[1, 2, 3, 4, 5], [6, 7, 8, 9, 10], [4, 5], [1, 2, 3], [5], [4]]
    assert outcomes(job) == {4: ("failed", "batch_failed", "It broke. (sent 2 times)")}
    assert batches(job, "attempt", "size", "changed", "failed", "note") == [
        (1, 5, 0, 0, "It broke."),
        (1, 5, 5, 0, ""),
        (2, 3, 3, 0, ""),
        (2, 2, 0, 0, "It broke."),
        (2, 1, 0, 1, "It broke."),
        (2, 1, 1, 0, ""),
    ]


def test_a_single_item_that_breaks_its_batch_is_sent_twice(script: Script) -> None:
    script.sends = [silent(Phase.FAILED, "It broke."), silent(Phase.FAILED, "It broke.")]
    job = run(submitted(1))
    assert outcomes(job) == {1: ("failed", "batch_failed", "It broke. (sent 2 times)")}
    assert batches(job, "attempt", "size") == [(1, 1), (2, 1)]


def test_the_last_item_left_of_a_broken_batch_has_not_broken_it_alone(script: Script) -> None:
    """The others of its batch were carried out: it may go again as often as any other."""
    script.sends = [tells({2: None}, phase=Phase.FAILED, text="It broke.")]
    script.applied = {1, 3}
    job = run(submitted(3))
    assert script.sent == [[1, 2, 3], [2]]
    assert batches(job, "attempt", "size", "note") == [(1, 3, "It broke."), (2, 1, "")]
    assert outcomes(job) == {}


def test_a_batch_without_results_is_halved_after_its_last_attempt(script: Script) -> None:
    script.sends = [silent(Phase.OVER)] * 9
    job = run(submitted(3))
    assert script.sent == [[1, 2, 3]] * 4 + [[3], [1, 2], [2], [1]]
    assert batches(job, "attempt", "size") == [
        (1, 3), (2, 3), (3, 3), (4, 3), (4, 2), (4, 1), (4, 1), (4, 1),
    ]  # fmt: skip
    assert outcomes(job) == dict.fromkeys(
        (1, 2, 3), ("unverified", "no_result", "No result was given. (sent 4 times)")
    )


def test_a_refused_call_is_halved_until_the_refusal_is_about_one_item(script: Script) -> None:
    refused = Refused("That cannot be.", code="invalid")
    script.sends = [refused, (), refused, refused]
    job = run(submitted(3))
    assert script.sent == [[1, 2, 3], [3], [1, 2], [2], [1]]
    assert outcomes(job) == {2: ("failed", "invalid", "That cannot be.")}
    assert batches(job, "attempt", "size") == [(1, 3), (2, 2), (2, 1), (2, 1), (2, 1)]
    assert batches(job, "note")[:2] == [("That cannot be.",)] * 2


def test_of_changes_that_must_not_be_made_twice_the_records_decide(script: Script) -> None:
    script.plan = once
    script.sends = [silent(Phase.OVER)]
    script.evidence = {1: MADE, 2: NOT_MADE}
    job = run(submitted(3))
    assert script.sent == [[1, 2, 3], [2]]
    assert outcomes(job) == {3: ("unverified", "untold", UNVERIFIABLE)}
    assert batches(job, "once", "attempt", "size") == [(True, 1, 3), (True, 2, 1)]


def test_while_such_a_batch_may_still_be_carried_out_its_absence_proves_nothing(script: Script) -> None:
    script.plan = once
    script.sends = [silent(Phase.GONE)] * 2
    script.evidence = {1: MADE, 2: NOT_MADE}
    job = run(submitted(2))
    assert script.sent == [[1, 2]]
    assert outcomes(job) == {2: ("unverified", "untold", UNVERIFIABLE)}


def test_a_conflict_at_the_last_attempt_may_be_with_the_items_own_change(script: Script) -> None:
    script.plan = once
    script.sends = [tells({1: LATER, 2: LATER, 3: LATER})] * 4
    tries = script.sent

    class Records(dict[int, DeliveryEvidence]):
        """Nothing is on record until the fourth attempt is over."""

        def __getitem__(self, ref: int) -> DeliveryEvidence:
            return {1: MADE, 2: NOT_MADE}.get(ref, DeliveryEvidence.UNCLEAR) if len(tries) == 4 else NOT_MADE

    script.evidence = Records.fromkeys((1, 2, 3), NOT_MADE)
    job = run(submitted(3))
    assert script.sent == [[1, 2, 3]] * 4
    assert outcomes(job) == {
        2: ("failed", "conflict", "It was just changed. (sent 4 times)"),
        3: ("unverified", "untold", UNVERIFIABLE),
    }


def test_a_conflict_with_its_own_change_is_found_on_record_before_it_is_sent_again(script: Script) -> None:
    script.plan = once
    script.sends = [tells({1: LATER, 2: LATER})]
    script.evidence = {1: MADE, 2: NOT_MADE}
    job = run(submitted(2))
    assert script.sent == [[1, 2], [2]]
    assert outcomes(job) == {}


def test_a_conflict_is_no_reason_not_to_send_again_what_somebody_touched(script: Script) -> None:
    script.plan = own
    script.sends = [tells({1: LATER})]
    script.touched = {1}
    job = run(submitted(1))
    assert script.sent == [[1], [1]]
    assert outcomes(job) == {}


def test_a_lost_batch_without_a_trace_is_read_back(script: Script) -> None:
    script.sends = [FateUnknown("No answer came.")]
    script.found = [SearchResult.ABSENT]
    script.applied = {1}
    job = run(submitted(2))
    assert outcomes(job) == {}
    assert script.sent == [[1, 2], [2]]
    note = "The answer to this batch was lost; its tickets were read back."
    assert batches(job, "note", "attempt", "size", "changed") == [(note, 1, 2, 1), ("", 2, 1, 1)]


def test_calls_in_a_row_that_come_to_nothing_stop_the_job(script: Script) -> None:
    """Sending on would halve the batch down to single tickets, and end each of them unverified."""
    script.sends = [FateUnknown("Zendesk answered with a page.")] * 100
    script.found = [SearchResult.ABSENT] * 100
    job = run(submitted(40))
    assert job.status == "errored"
    assert len(script.sent) <= 20  # ten, and what was under way by then
    assert "calls in a row that send changes had no usable answer" in job.error
    assert "Zendesk answered with a page." in job.error
    assert (job.unverified, job.remaining) == (0, 40)


def test_lost_answers_to_calls_that_were_carried_out_do_not_stop_it(script: Script) -> None:
    script.sends = [FateUnknown("No answer came.")] * 100
    script.found = [SearchResult.ABSENT] * 100
    script.applied = set(range(1, 5001))
    assert (job := run(submitted(1200))).status == "succeeded"
    assert (outcomes(job), len(script.sent)) == ({}, 12)


@pytest.mark.parametrize("found", [SearchResult.ABSENT, SearchResult.UNCLEAR])
def test_a_lost_change_that_must_not_be_made_twice_goes_again_only_if_it_is_absent(
    script: Script, monkeypatch: pytest.MonkeyPatch, found: SearchResult
) -> None:
    monkeypatch.setattr(lost_search, "LOST_SEARCH_TIMEOUT", 90.0)
    script.plan = once
    script.sends = [FateUnknown("No answer came.")]
    script.found = [found] * 100
    script.evidence = {1: NOT_MADE}
    job = run(submitted(1))
    if found is SearchResult.ABSENT:
        assert (script.sent, outcomes(job)) == ([[1], [1]], {})
    else:
        assert (script.sent, outcomes(job)) == ([[1]], {1: ("unverified", "untold", UNVERIFIABLE)})


def test_a_settled_batch_shows_that_the_worker_lives(script: Script) -> None:
    job = submitted(3)
    Job.objects.update(crash_count=2)
    assert run(job).crash_count == 0


def test_a_kind_that_is_withheld_is_noted_once_in_the_timeline(script: Script) -> None:
    script.plan = lambda ref: Change({"add": ["vip"]}, probe="closed" if ref > 2 else "")
    script.withheld = {"closed": "Closed tickets are refused."}
    script.sends = [tells({3: Result(Verdict.REFUSED, "closed", "It is closed.")})] * 4
    script.batch_size = 1
    job = run(submitted(5))
    said = [one.why for one in job.transitions.order_by("id") if "refused" in one.why]
    assert said[0] == "Closed tickets are refused. The others go on."
    assert len(said) == 2  # and the stop of the job
    assert said[1].startswith("Stopped: Closed tickets are refused.")
    assert script.sent == [[3], [1], [2]]
    assert job.status == "errored"
    assert Batch.objects.filter(probe="closed").count() == 3
