"""What a reading right before sending makes of the items of a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from jobs import actions
from jobs.actors import Actor
from jobs.engine import selection
from jobs.models import Batch, Job
from jobs.runtime import failpoints
from jobs.runtime.failpoints import Failpoint
from jobs.states import SENT_BEFORE, FollowUp
from jobs.work import Change, DeliveryEvidence, Plan, Result, Skipped, Unchanged, Verdict
from tests import factories
from tests.jobs.engine.scripted import Script, batches, outcomes, run, scripted, tells

ANA = Actor(name="ana")
GIVEN = {"kind": "ids", "name": "", "number": 0}
VIP, OTHER = Change({"add": ["vip"]}), Change({"add": ["other"]})


@pytest.fixture
def script(job_counts: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    written = Script(batch_size=4)
    with scripted(written, settings, monkeypatch):
        yield written


@pytest.fixture
def late(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every list is read right before it is sent."""
    monkeypatch.setattr(selection, "READ_LATE_ABOVE", 0)


def submitted(number: int, **options: Any) -> Job:
    return actions.submit(
        tool="bulk-tag",
        title="Add vip to some tickets",
        params={"add": ["vip"]},
        source=GIVEN,
        refs=range(1, number + 1),
        by=ANA,
        **options,
    ).job


def planned(script: Script, first: dict[int, Plan], again: dict[int, Plan]) -> None:
    """Plan items as told when they are listed, and as told `again` when they are read before sending."""
    done: list[int] = []

    def plan(ref: int) -> Plan:
        done.append(ref)
        told = again if done.count(ref) > 1 and ref in again else first
        return told.get(ref, VIP)

    script.plan = plan


def aged(monkeypatch: pytest.MonkeyPatch, do: Callable[[], object] = lambda: None) -> None:
    """When the list is complete its readings are old, and that is done."""

    def listener(point: Failpoint) -> None:
        if point is Failpoint.LIST_FROZEN:
            Batch.objects.filter(sent_at=None).update(read_at=None)
            do()

    monkeypatch.setattr(failpoints, "_listeners", [listener])


def rows(job: Job) -> list[Any]:
    return list(job.items.order_by("ref").values_list("ref", "outcome", "reason", "detail", "change"))


def test_an_unread_item_is_planned_by_its_reading_and_the_commonest_change_stays(
    script: Script, late: None
) -> None:
    plans: dict[int, Plan] = {1: OTHER, 2: Unchanged("is_so", "It is so."), 3: Skipped("no", "No.")}
    script.plan = lambda ref: plans.get(ref, VIP)
    job = run(submitted(5))
    assert rows(job) == [
        (1, "changed", "", "", {"add": ["other"]}),
        (2, "unchanged", "is_so", "It is so.", None),
        (3, "skipped", "no", "No.", None),
        (4, "changed", "", "", {"add": ["vip"]}),
        (5, "changed", "", "", {"add": ["vip"]}),
    ]
    before = dict(job.items.values_list("ref", "before"))
    assert [bool(before[ref]) for ref in range(1, 6)] == [True] * 5
    assert script.read == [[1, 2, 3, 4], [5]]
    assert sorted(script.sent) == [[1], [4, 5]]
    assert (job.unchanged, job.skipped, job.changed) == (1, 1, 3)
    assert [state for (state,) in batches(job, "state")] == ["settled"] * len(batches(job, "state"))
    assert job.calls_read == 2


def test_the_row_of_an_unread_batch_is_used_again_by_the_commonest_change(script: Script, late: None) -> None:
    script.plan = lambda ref: OTHER if ref == 1 else VIP
    job = run(submitted(4))
    assert batches(job, "change", "size", "changed", "state") == [
        ({"add": ["vip"]}, 3, 3, "settled"),
        ({"add": ["other"]}, 1, 1, "settled"),
    ]


def test_an_unread_batch_of_items_that_need_nothing_is_settled(script: Script, late: None) -> None:
    script.plan = lambda _: Unchanged()
    job = submitted(3)
    Job.objects.update(crash_count=2)
    job = run(job)
    assert (job.status, job.unchanged, job.crash_count, script.sent) == ("succeeded", 3, 0, [])
    assert batches(job, "state", "size", "unchanged", "sent_at") == [("settled", 0, 3, None)]


def test_full_batches_are_made_of_items_that_need_the_same(script: Script, late: None) -> None:
    script.plan = lambda ref: VIP if ref % 2 else Unchanged()
    job = run(submitted(16))
    assert script.sent == [[1, 3, 5, 7], [9, 11, 13, 15]]
    assert job.unchanged == 8


def test_an_old_reading_is_made_again_and_the_plan_with_it(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(
        script,
        {},
        {
            1: Unchanged("is_so", "It is so."),
            2: OTHER,
            3: Change({"add": ["vip"]}, reason="again", detail="Planned again."),
        },
    )
    aged(monkeypatch)
    job = run(submitted(4))
    assert rows(job) == [
        (1, "unchanged", "is_so", "It is so.", None),
        (2, "changed", "", "", {"add": ["other"]}),
        (3, "changed", "again", "Planned again.", {"add": ["vip"]}),
        (4, "changed", "", "", {"add": ["vip"]}),
    ]
    assert script.sent == [[3, 4], [2]]
    assert batches(job, "attempt", "size", "unchanged", "changed") == [(1, 2, 1, 2), (1, 1, 0, 1)]
    assert script.read == [[1, 2, 3, 4], [1, 2, 3, 4]]
    assert job.kinds == {}


def test_what_was_seen_last_is_on_record(script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    aged(monkeypatch, lambda: script.touched.update({1, 2}))
    job = run(submitted(3))
    tags = {ref: before["tags"] for ref, before in job.items.values_list("ref", "before") if before}
    assert (tags[1], tags[2], tags[3] != ["theirs"]) == (["theirs"], ["theirs"], True)


def test_a_batch_of_which_nothing_stays_is_settled_unsent(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(script, {}, {1: Unchanged(), 2: Skipped("no", "No.")})
    aged(monkeypatch)
    job = submitted(2)
    Job.objects.update(crash_count=2)
    job = run(job)
    assert (job.status, script.sent, job.crash_count) == ("succeeded", [], 0)
    assert batches(job, "state", "size", "unchanged", "skipped") == [("settled", 0, 1, 1)]
    assert job.batches.get().settled_at is not None


def test_a_batch_whose_items_all_move_is_settled_but_is_no_progress(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(script, {}, {1: OTHER, 2: OTHER})
    aged(monkeypatch)
    job = submitted(2)
    Job.objects.update(crash_count=2)
    counts: list[int] = []
    job = run(job, tick=lambda: counts.append(Job.objects.get().crash_count))
    assert batches(job, "state", "size", "changed") == [("settled", 0, 0), ("settled", 2, 2)]
    assert (counts[-2:], 2 in counts, job.crash_count) == ([2, 0], True, 0)
    assert script.sent == [[1, 2]]


def test_another_job_that_changed_an_item_is_named_unless_the_plan_has_words(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(script, {}, {2: Change({"add": ["vip"]}, detail="Words."), 3: Unchanged()})
    job = submitted(4)
    other = factories.job("succeeded")

    def change() -> None:
        script.touched.update({1, 2, 3})
        batch = factories.batch(other)
        for ref in (1, 2, 3, 4):
            factories.item(other, ref, "changed", batch=batch)
        Job.objects.filter(pk=other.pk).update(total=4, found=4, changed=4)

    aged(monkeypatch, change)
    job = run(job)
    named = f"Job {other.pk} changed it after this job had read it."
    assert dict(job.items.values_list("ref", "detail")) == {1: named, 2: "Words.", 3: named, 4: ""}
    Batch.objects.filter(job=other).update(changed=4, size=4)


def test_an_item_sent_before_is_settled_by_its_reading_where_that_shows_the_change(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submitted(3)

    def was_sent() -> None:
        job.items.filter(ref__in=[1, 2]).update(reason=SENT_BEFORE)
        script.applied.update({1, 3})

    aged(monkeypatch, was_sent)
    job = run(job)
    assert script.sent == [[2, 3]]  # 3 was never sent by this job: to look as wished is a matter of its plan
    assert outcomes(job) == {}


def once(ref: int) -> Change:
    return Change({"note": ref}, own=True, once=True)


def test_a_comment_sent_before_goes_again_only_where_it_is_not_on_record(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.plan = once
    script.evidence = {1: DeliveryEvidence.MADE, 2: DeliveryEvidence.NOT_MADE}
    job = submitted(4)
    aged(monkeypatch, lambda: job.items.filter(ref__in=[1, 2, 3]).update(reason=SENT_BEFORE))
    job = run(job)
    assert script.sent == [[2, 4]]
    assert {ref: end[:2] for ref, end in outcomes(job).items()} == {3: ("unverified", "untold")}
    assert batches(job, "size", "changed", "unverified") == [(2, 3, 1)]


@pytest.mark.parametrize(("is_retry", "readings"), [(True, 2), (False, 1)])
def test_an_item_that_needs_a_comment_now_is_read_once_more_in_a_job_that_repeats_another(
    script: Script, late: None, is_retry: bool, readings: int
) -> None:
    earlier = factories.job("succeeded")
    options: dict[str, Any] = {"parent": earlier, "follow_up": FollowUp.RETRY} if is_retry else {}
    script.plan = once
    run(submitted(2, **options))
    assert (script.read, script.sent) == ([[1, 2]] * readings, [[1, 2]])


def test_a_kind_that_is_found_late_waits_for_its_probe(script: Script, late: None) -> None:
    script.plan = lambda _: Change({"add": ["vip"]}, probe="closed")
    script.sends = [tells({1: Result(Verdict.REFUSED, "closed", "It is closed.")})]
    script.withheld = {"closed": "Closed tickets are refused."}
    job = run(submitted(8))
    assert (script.sent, job.status, job.failed) == ([[1]], "errored", 1)


def test_a_probe_that_needs_nothing_any_more_proves_nothing(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = Change({"add": ["vip"]}, probe="closed")
    planned(script, dict.fromkeys((1, 2, 3), closed), {1: Unchanged()})
    aged(monkeypatch)
    script.batch_size = 1
    job = run(submitted(3))
    assert (script.sent, job.status) == ([[2], [3]], "succeeded")
    assert job.probes["closed"]["passed"] is True
