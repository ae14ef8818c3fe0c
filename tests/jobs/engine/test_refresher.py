"""What a reading right before sending makes of the items of a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from jobs import actions
from jobs.actors import Actor
from jobs.engine import refresher, selection
from jobs.engine.batch_queue import BatchQueue
from jobs.engine.refresher import Refresher
from jobs.guards.guard_state import GuardState
from jobs.models import Batch, Job
from jobs.runtime import failpoints
from jobs.runtime.failpoints import Failpoint
from jobs.runtime.lease import Lease
from jobs.states import NOT_APPLIED, SENT_BEFORE, BatchState, FollowUp
from jobs.work import (
    Change,
    CompletedCall,
    DeliveryEvidence,
    Plan,
    Result,
    Skipped,
    Snapshot,
    Unchanged,
    Unreadable,
    Verdict,
)
from tests import factories
from tests.jobs.engine.scripted import Script, ScriptedWork, batches, outcomes, run, scripted, tells

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


def test_an_item_that_is_gone_is_planned_anew_unless_it_may_have_been_sent(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submitted(3)

    def vanish() -> None:
        job.items.filter(ref=1).update(reason=SENT_BEFORE)
        job.items.filter(ref=2).update(reason=NOT_APPLIED)
        script.gone.update({1, 2})

    aged(monkeypatch, vanish)
    job = run(job)
    assert script.sent == [[2, 3]]  # the plan of this script sends whatever it sees
    assert {ref: end[:2] for ref, end in outcomes(job).items()} == {1: ("unverified", "gone")}


def test_an_item_that_had_not_changed_is_compared_with_the_change_that_was_sent(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submitted(2)
    compared: list[Any] = []

    def is_applied(_: ScriptedWork, change: Any, now: Snapshot) -> bool:
        compared.append(change)
        return False

    monkeypatch.setattr(ScriptedWork, "is_applied", is_applied)
    aged(monkeypatch, lambda: job.items.filter(ref=1).update(reason=NOT_APPLIED))
    run(job)
    assert (compared, script.sent) == ([VIP.payload], [[1, 2]])


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


def test_a_single_item_that_needs_a_comment_now_is_read_once_more_too(script: Script, late: None) -> None:
    script.plan = once
    run(submitted(1, parent=factories.job("succeeded"), follow_up=FollowUp.RETRY))
    assert (script.read, script.sent) == ([[1], [1]], [[1]])


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


def test_a_probe_that_cannot_be_read_proves_nothing_about_its_kind(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = Change({"add": ["vip"]}, probe="closed")
    planned(script, dict.fromkeys((1, 2), closed), {1: Unreadable("odd_record", "Its status is null.")})
    aged(monkeypatch)
    script.batch_size, script.withheld = 1, {"closed": "Closed tickets are refused."}
    job = run(submitted(2))
    assert (script.sent, job.status, job.failed, job.changed) == ([[2]], "partial", 1, 1)


class Held:
    """A reading that is over when the test says so."""

    def __init__(self, refs: Sequence[int]) -> None:
        self.refs = refs
        self.is_done = self.is_discarded = False

    def on_done(self, notify: Callable[[], None]) -> None:
        pass

    def result(self) -> dict[int, Snapshot]:
        return CompletedCall({ref: {"tags": []} for ref in self.refs}).result()

    def discard(self) -> None:
        self.is_discarded = True


@pytest.fixture
def held(script: Script, monkeypatch: pytest.MonkeyPatch) -> list[Held]:
    """The readings that were begun; none of them ends by itself."""
    begun: list[Held] = []

    def read(_: ScriptedWork, refs: Sequence[int]) -> Held:
        begun.append(Held(refs))
        return begun[-1]

    monkeypatch.setattr(ScriptedWork, "read", read)
    return begun


def stale(number: int) -> tuple[Refresher, list[Batch]]:
    """The refresher of a job with so many batches of one item each, none of them read lately."""
    job = factories.job("running", total=number, source={"kind": "instant", "number": number})
    made = []
    for ref in range(1, number + 1):
        made.append(factories.batch(job, BatchState.PENDING, size=1, change=VIP.payload))
        factories.item(job, ref, "pending", batch=made[-1], change=VIP.payload, before={"tags": []})
    job.batches.update(key=VIP.key)
    made = list(job.batches.order_by("pk"))
    queue = BatchQueue(job, most_at_once=10, full_size=4)
    return Refresher(Lease(job, job.lease_token), ScriptedWork(job), queue, GuardState(job)), made


def nothing() -> None:
    pass


def test_two_batches_are_read_at_the_same_time(held: list[Held]) -> None:
    reader, made = stale(3)
    for batch in made:
        reader.request(batch, nothing)
    assert ([call.refs for call in held], refresher.READ_AT_ONCE) == ([[1], [2]], 2)


def test_a_reading_that_has_ended_makes_room_and_the_others_go_on(held: list[Held]) -> None:
    reader, made = stale(3)
    for batch in made:
        reader.request(batch, nothing)
    assert not reader.finish()
    held[1].is_done = True
    assert reader.finish()
    assert [batch.read_at is not None for batch in Batch.objects.order_by("pk")] == [False, True, False]
    reader.request(made[0], nothing)  # still under way: it is not read twice
    reader.request(made[2], nothing)
    assert [call.refs for call in held] == [[1], [2], [3]]


def test_a_batch_that_was_read_here_and_aged_is_told_from_one_that_never_was(held: list[Held]) -> None:
    reader, (one, other) = stale(2)
    reader.request(one, nothing)
    held[0].is_done = True
    reader.finish()
    one.refresh_from_db()
    assert not reader.is_prepared(one), "it is fresh"
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        assert reader.is_prepared(one)
        assert not reader.is_prepared(other), "it was never read"


def test_a_clock_that_is_set_gives_up_the_readings_and_has_them_made_again(
    held: list[Held], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, (one, other) = stale(2)
    Batch.objects.filter(pk=other.pk).update(read_at=timezone.now())
    reader.request(one, nothing)
    reader.watch_clock()
    assert (held[0].is_discarded, Batch.objects.get(pk=other.pk).read_at is None) == (False, False)
    monkeypatch.setattr(reader._clock, "was_set", lambda: True)
    reader.watch_clock()
    assert (held[0].is_discarded, Batch.objects.get(pk=other.pk).read_at is None) == (True, True)
    reader.request(one, nothing)
    assert [call.refs for call in held] == [[1], [1]]


def test_items_of_every_kind_that_need_a_comment_now_are_read_once_more(script: Script, late: None) -> None:
    script.plan = lambda ref: Change({"note": ref}, own=True, once=True, probe="closed" if ref == 3 else "")
    run(submitted(3, parent=factories.job("succeeded"), follow_up=FollowUp.RETRY))
    assert [sum(ref in refs for refs in script.read) for ref in (1, 2, 3)] == [2, 2, 2]
