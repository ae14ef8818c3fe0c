"""Items that were reported as changed are read back: what they and their records show decides."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from jobs import actions
from jobs.engine.read_back import Reading
from jobs.guards import evidence
from jobs.models import Job
from jobs.work import Change, DeliveryEvidence, Result, Verdict, Verify
from tests.demo import ANA
from tests.jobs.engine.scripted import (
    Script,
    batches,
    goes_well,
    outcomes,
    run,
    scripted,
    submitted,
    tells,
)

MADE, NOT_MADE, UNCLEAR = DeliveryEvidence.MADE, DeliveryEvidence.NOT_MADE, DeliveryEvidence.UNCLEAR


@pytest.fixture
def script(job_counts: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    written = Script(verify=Verify.SAMPLE, batch_size=2, max_in_flight=1)
    with scripted(written, settings, monkeypatch):
        yield written


def stands(job: Job) -> list[tuple[str, str]]:
    """Outcome and reason of each item, by ref."""
    return list(job.items.order_by("ref").values_list("outcome", "reason"))


def test_the_first_batch_of_a_kind_is_read_back_and_one_in_fifty_after_it(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "SAMPLED_EVERY", 4)
    script.applied = set(range(1, 21))
    job = run(submitted(20))
    assert script.read_back == [[1, 2], [9, 10], [17, 18]]
    assert (job.status, job.changed, job.verified, job.calls_verify) == ("succeeded", 20, 6, 3)
    assert [bool(at) for (at,) in batches(job, "verified_at")] == [place in (0, 4, 8) for place in range(10)]


def test_every_batch_is_read_back_while_its_kind_is_unproven(script: Script) -> None:
    """What the records alone prove, proves the kind as well; what nothing shows does not.

    A batch of which no ticket shows the change, and nothing tells why, stops the job until a resume.
    """
    script.traces = {1: UNCLEAR, 2: UNCLEAR, 3: UNCLEAR, 4: MADE}
    script.touched, script.max_in_flight = {1, 2, 3, 4}, 2
    job = run(submitted(6))
    assert (job.status, job.remaining) == ("errored", 2)
    assert "3 tickets that Zendesk called updated (such as 1) do not show the change" in job.error
    actions.resume(job=job, by=ANA)
    job = run(job)
    assert script.read_back == [[1, 2], [3, 4]]
    assert (
        stands(job)
        == [("unverified", "not_shown")] * 3 + [("changed", "undone_since")] + [("changed", "")] * 2
    )
    assert job.verified == 1


def test_a_first_batch_of_which_nobody_can_tell_stops_the_job(script: Script) -> None:
    script.traces = dict.fromkeys(range(1, 5), UNCLEAR)
    script.touched = {1, 2, 3, 4}
    job = run(submitted(6))
    assert (job.status, script.sent) == ("errored", [[1, 2]])
    assert stands(job) == [("unverified", "not_shown")] * 2 + [("pending", "")] * 4
    assert job.error.startswith("Stopped: 2 tickets that Zendesk called updated (such as 1) do not show")


def test_kinds_are_proven_each_for_itself(script: Script) -> None:
    script.plan = lambda ref: Change({"add": ["vip"]} if ref <= 4 else {"set": [str(ref)]}, own=ref > 4)
    script.applied = set(range(1, 9))
    job = run(submitted(8))
    assert script.read_back == [[1, 2], [5, 6]]
    assert job.evidence["kinds"] == {
        "add": {"is_proven": True, "unread": 1},
        "set": {"is_proven": True, "unread": 1},
    }


@pytest.mark.parametrize(("verify", "read"), [(Verify.ALL, [[1, 2], [3, 4], [5, 6]]), (Verify.OFF, [])])
def test_all_of_a_job_may_be_read_back_or_nothing(
    script: Script, verify: Verify, read: list[list[int]]
) -> None:
    script.verify, script.applied = verify, set(range(1, 7))
    job = run(submitted(6))
    assert (script.read_back, job.verified) == (read, 2 * len(read))


def test_a_change_that_was_accepted_and_not_made_stops_the_job_after_a_second_look(script: Script) -> None:
    script.applied = {2}
    job = run(submitted(6))
    assert script.read_back == [[1, 2], [1, 2]]
    assert (job.status, script.sent) == ("errored", [[1, 2]])
    assert stands(job) == [("pending", "not_applied"), ("changed", ""), *[("pending", "")] * 4]
    assert job.error == (
        "Stopped: Zendesk accepted the change but did not make it. 1 ticket that it called updated "
        "(ticket 1) does not show the change, and no history says that it was made. Sent: add. Nothing more "
        "was sent. Check in Zendesk whether the connected user may make this change there. Then resume, "
        "which sends it again; or cancel, which leaves the tickets as they are."
    )
    assert script.asked == []  # the stamp proves it


def test_each_resume_tries_again_however_often(script: Script) -> None:
    job = submitted(2)
    for number in range(6):
        job = run(job)
        assert (job.status, len(script.sent)) == ("errored", number + 1)
        assert stands(job) == [("pending", "not_applied")] * 2
        actions.resume(job=job, by=ANA)
    script.applied = {1, 2}
    job = run(job)
    assert (job.status, job.changed) == ("succeeded", 2)


def test_what_is_in_flight_is_settled_and_read_back_before_the_job_stops(script: Script) -> None:
    script.max_in_flight = 3
    script.applied = {3, 4, 5, 6}
    job = run(submitted(8))
    assert script.sent == [[1, 2], [3, 4], [5, 6]]
    assert job.status == "errored"
    assert [*stands(job)[2:6]] == [("changed", "")] * 4
    assert job.verified == 4


def test_a_change_that_shows_late_stops_nothing(script: Script) -> None:
    script.applied, script.not_shown_by = {1, 2, 3, 4}, 1
    job = run(submitted(4))
    assert (job.status, job.changed, job.verified) == ("succeeded", 4, 2)
    assert script.read_back == [[1, 2], [1, 2]]
    assert script.sent == [[1, 2], [3, 4]]


def test_nothing_is_sent_between_the_two_looks(script: Script) -> None:
    script.max_in_flight = 5
    script.applied, script.not_shown_by = {1, 2, 3, 4}, 1
    script.batch_size = 1
    sent_by_second_look: list[int] = []
    looks = script.read_back

    class Looks(list[list[int]]):
        def append(self, refs: list[int]) -> None:
            super().append(refs)
            sent_by_second_look.append(len(script.sent))

    script.read_back = Looks(looks)
    run(submitted(20))
    first, second = sent_by_second_look[:2]
    assert second - first <= script.max_in_flight


def test_an_item_that_vanished_is_unverified(script: Script) -> None:
    script.gone, script.applied = {1}, {2}
    script.verify = Verify.ALL
    job = run(submitted(2))
    assert stands(job) == [("unverified", "gone"), ("changed", "")]


@pytest.mark.parametrize(
    ("trace", "must_last", "end"),
    [
        (MADE, False, ("changed", "undone_since")),
        (MADE, True, ("failed", "undone_since")),
        (UNCLEAR, False, ("unverified", "not_shown")),
        (UNCLEAR, True, ("unverified", "not_shown")),
        (NOT_MADE, False, ("pending", "not_applied")),
        (NOT_MADE, True, ("pending", "not_applied")),
    ],
)
def test_of_an_item_that_was_touched_the_records_decide(
    script: Script, trace: DeliveryEvidence, must_last: bool, end: tuple[str, str]
) -> None:
    script.touched, script.traces, script.must_last = {1}, {1: trace}, must_last
    script.applied = {2}
    job = run(submitted(2))
    assert stands(job)[0] == end
    assert set(script.asked) == {1}
    assert job.verified == (2 if end[0] == "changed" else 1)


def test_of_a_change_that_nothing_shows_its_own_records_decide(script: Script) -> None:
    script.plan = lambda ref: Change({"note": ref}, own=True, once=True)
    script.evidence = {1: MADE, 2: UNCLEAR}
    job = run(submitted(2))
    assert stands(job) == [("changed", ""), ("unverified", "not_shown")]


def test_a_change_that_must_not_be_made_twice_goes_again_only_if_it_is_provably_absent(
    script: Script,
) -> None:
    script.plan = lambda ref: Change({"set": ref}, own=True, once=True)
    script.evidence = {1: NOT_MADE, 2: MADE}
    job = run(submitted(2))
    assert job.status == "errored"
    assert stands(job) == [("pending", "not_applied"), ("unverified", "not_shown")]


@pytest.mark.parametrize("applied", [{1, 2, 3, 4}, {2, 3, 4}])
def test_an_answer_that_ignores_a_key_stops_the_job_and_names_it(script: Script, applied: set[int]) -> None:
    script.verify = Verify.OFF
    script.ignored = [("additional_tags",)] * 9
    script.applied = applied
    job = run(submitted(4))
    assert (job.status, script.sent, script.read_back[0]) == ("errored", [[1, 2]], [1, 2])
    assert "ignores “additional_tags”" in job.error
    assert ("all that Zendesk called updated show the change" in job.error) == (1 in applied)
    actions.resume(job=job, by=ANA)
    script.applied = {1, 2, 3, 4}
    job = run(job)
    if 1 in applied:
        assert (job.status, job.changed) == ("succeeded", 4)  # the warning stops it no more
    else:
        assert (job.status, "ignores" in job.error) == ("errored", True)


def test_a_warning_stops_a_job_that_has_nothing_left_to_send(script: Script) -> None:
    script.ignored, script.applied = [("updated_stamp",)], {1, 2}
    job = run(submitted(2))
    assert (job.status, job.changed) == ("errored", 2)
    actions.resume(job=job, by=ANA)
    assert run(job).status == "succeeded"


def test_an_unexplained_refusal_is_explained_by_one_reading_of_the_batch(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explain(work: Any, item: Any, now: Any, result: Result, *, kind_is_open: bool) -> Result:
        assert (result.code, now is None, kind_is_open) == ("General", item.ref == 1, False)
        verdict = {1: Verdict.MISSING, 2: Verdict.LATER, 3: Verdict.REFUSED}[item.ref]
        return Result(verdict, "explained", "So it is.")

    monkeypatch.setattr("tests.jobs.engine.scripted.ScriptedWork.explain", explain)
    unexplained = Result(Verdict.UNEXPLAINED, "General", "Nein.")
    script.batch_size, script.gone, script.applied = 4, {1}, {4}
    script.sends = [tells({1: unexplained, 2: unexplained, 3: unexplained}), goes_well]
    script.verify = Verify.OFF
    job = run(submitted(4))
    assert script.read_back == [[1, 2, 3, 4]]
    assert (script.sent, outcomes(job)) == (
        [[1, 2, 3, 4], [2]],
        {1: ("skipped", "not_found", "So it is."), 3: ("failed", "explained", "So it is.")},
    )


def test_a_worker_that_stops_while_it_reads_back_loses_nothing(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.applied = {1, 2}
    with monkeypatch.context() as patch:

        def crash(*_: object) -> None:
            raise KeyboardInterrupt

        patch.setattr(Reading, "of", crash)
        job = submitted(2)
        with pytest.raises(KeyboardInterrupt):
            run(job)
    assert batches(job, "state", "verified_at") == [("sent", None)]
    Job.objects.update(lease_token="", lease_owner="")
    job = run(job)
    assert (job.status, job.verified, script.sent) == ("succeeded", 2, [[1, 2]])
