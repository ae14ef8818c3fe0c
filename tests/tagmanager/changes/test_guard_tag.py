"""The guard tag goes along with the change and comes off when the job has ended, however it ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from jobs import actions
from jobs.engine import lost_search
from jobs.models import Job
from jobs.reports import exports, recount
from jobs.runtime.failpoints import Failpoint
from jobs.states import FollowUp, Guarded, Status
from tagmanager.changes.job_options import JobOptions
from tests.demo import ANA, Demo, counts, demo_zendesk, follow, outcomes, run
from zendesk import sandbox as zd

GUARD = "bulk_update"
#: It reacts to the state of a ticket, and excludes guarded changes.
ON_VIP = zd.Rule(
    "VIP tickets: mail the account team",
    (
        ("update_type", "is", "Change"),
        ("current_tags", "includes", "vip"),
        ("current_tags", "not_includes", GUARD),
    ),
    (("current_tags", "mailed"),),
)
#: It looks at what an update changed.
ON_SOLVED = zd.Rule(
    "Ask how it was",
    (("status", "changed", ""), ("status", "is", "solved"), ("current_tags", "not_includes", GUARD)),
    (("current_tags", "asked"),),
)


@pytest.fixture
def demo(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Demo]:
    monkeypatch.setattr(lost_search, "LOST_SEARCH_DELAY", 0.0)
    with demo_zendesk(settings, triggers=(ON_VIP, ON_SOLVED)) as running:
        yield running
        assert list(recount.drifts()) == []


def untagged(demo: Demo, number: int) -> list[int]:
    refs = [ref for ref in demo.open_tickets if not demo.tags(ref) & {"vip", GUARD}][:number]
    assert len(refs) == number
    return refs


def guarded(
    refs: list[int],
    *,
    guard: Guarded = Guarded.UNTIL_END,
    closed: bool = False,
    here: bool = True,
    **options: Any,
) -> actions.Submission:
    """A job that adds vip to these tickets, guarded."""
    tags = {"add": ["vip"], "remove": [], "set": []} | options.pop("params", {})
    return actions.submit(
        tool="bulk-tag",
        title="Add vip to some tickets",
        params=tags,
        options=JobOptions(closed, guard=GUARD).to_json(),
        source={"kind": "ids", "name": ""},
        refs=refs,
        by=ANA,
        guarded=guard,
        here=here,
        **options,
    )


def guard_job(job: Job) -> Job:
    """The one job that takes its guard tag off."""
    return job.children.get(follow_up=FollowUp.UNGUARD)


def test_it_goes_along_in_the_same_write_and_a_job_of_its_own_takes_it_off(demo: Demo) -> None:
    refs = untagged(demo, 120)
    before = {ref: demo.tags(ref) for ref in refs}
    job = run(guarded(refs))
    assert (job.status, counts(job)) == ("succeeded", {"changed": 120})
    assert {ref: demo.tags(ref) - before[ref] for ref in refs} == {ref: {"vip", GUARD} for ref in refs}
    assert demo.account.ledger.fired.total() == 0

    after = guard_job(job)
    assert (after.status, after.title, after.guarded, after.created_by) == (
        "queued",
        "Take the guard tag off: Add vip to some tickets",
        "",
        job.created_by,
    )
    after = run(after)
    assert (after.status, counts(after)) == ("succeeded", {"changed": 120})
    assert {ref for ref in refs if GUARD in demo.tags(ref)} == set()
    # Taking it off is an update like any other: who looks only at what a ticket is, acts now.
    assert demo.account.ledger.fired.keys() == {(ON_VIP.title, ref) for ref in refs}
    assert not after.children.exists()


def test_a_trigger_that_looks_at_what_an_update_changed_is_left_out_for_good(demo: Demo) -> None:
    refs = [ref for ref in untagged(demo, 40) if demo.account.ticket(ref).status == "open"][:5]
    solve = {"macro": 1, "macro_title": "Solve", "fields": {"status": "solved"}, "left_out": []}
    made = guarded(refs, params=solve | {"add": []})
    Job.objects.update(tool="apply-macro")
    job = run(made)
    assert counts(run(guard_job(job))) == {"changed": 5}
    assert {demo.account.ticket(ref).status for ref in refs} == {"solved"}
    assert demo.account.ledger.fired.total() == 0


def test_where_it_is_to_stay_a_person_takes_it_off(demo: Demo) -> None:
    refs = untagged(demo, 3)
    job = run(guarded(refs, guard=Guarded.STAYS))
    assert not job.children.exists()
    assert demo.account.ledger.fired.total() == 0
    assert counts(follow(job, FollowUp.UNGUARD)) == {"changed": 3}
    assert counts(follow(job, FollowUp.UNGUARD)) == {"unchanged": 3}
    assert [GUARD in demo.tags(ref) for ref in refs] == [False] * 3


def test_undo_of_a_job_whose_guard_stayed_does_not_claim_to_add_it(demo: Demo) -> None:
    left, taken_off = untagged(demo, 2)
    job = run(guarded([left, taken_off], guard=Guarded.STAYS))
    demo.account.edit(taken_off, remove=[GUARD])
    undo = follow(job, FollowUp.UNDO)
    assert counts(undo) == {"changed": 2}
    told = {row.ticket_id: (row.tags_added, row.tags_removed) for row in exports.rows(undo)}
    assert told == {left: ("", "vip"), taken_off: (GUARD, "vip")}
    assert {ref: demo.tags(ref) & {"vip", GUARD} for ref in told} == {left: {GUARD}, taken_off: {GUARD}}
    after = follow(undo, FollowUp.UNGUARD)
    assert {row.ticket_id: row.tags_removed for row in exports.rows(after)} == {left: GUARD, taken_off: GUARD}


def test_a_ticket_that_carried_it_before_keeps_it(demo: Demo) -> None:
    mine, theirs = untagged(demo, 2)
    demo.account.edit(theirs, add=[GUARD])
    job = run(guarded([mine, theirs]))
    after = run(guard_job(job))
    assert outcomes(after) == {mine: "changed", theirs: "unchanged"}
    assert [GUARD in demo.tags(ref) for ref in (mine, theirs)] == [False, True]
    undo = follow(job, FollowUp.UNDO)
    run(guard_job(undo))
    assert [GUARD in demo.tags(ref) for ref in (mine, theirs)] == [False, True]


@pytest.mark.parametrize("is_off", [True, False])
def test_undo_is_guarded_too_and_expects_its_own_tag_to_be_removed(demo: Demo, *, is_off: bool) -> None:
    """Also while the first guard job has still to run: then there are two, and each does what is left."""
    demo.account.configure(triggers=())
    refs = untagged(demo, 3)
    before = {ref: demo.tags(ref) for ref in refs}
    job = run(guarded(refs))
    if is_off:
        run(guard_job(job))
    undo = follow(job, FollowUp.UNDO)
    assert (counts(undo), set(undo.items.values_list("reason", "detail"))) == ({"changed": 3}, {("", "")})
    assert [GUARD in demo.tags(ref) for ref in refs] == [True] * 3
    run(guard_job(undo))
    run(guard_job(job))
    assert {ref: demo.tags(ref) for ref in refs} == before


def test_exact_tags_are_guarded_and_undone_as_well(demo: Demo) -> None:
    mine, theirs = untagged(demo, 2)
    demo.account.edit(theirs, add=[GUARD])
    before = {ref: demo.tags(ref) for ref in (mine, theirs)}
    job = run(guarded([mine, theirs], params={"add": [], "set": ["only"]}))
    assert (demo.tags(mine), demo.tags(theirs)) == ({"only", GUARD}, {"only", GUARD})
    run(guard_job(job))
    assert (demo.tags(mine), demo.tags(theirs)) == ({"only"}, {"only", GUARD})
    run(guard_job(follow(job, FollowUp.UNDO)))
    assert {ref: demo.tags(ref) for ref in (mine, theirs)} == before


def test_a_job_that_is_cancelled_in_the_middle_leaves_no_guard_behind(demo: Demo, settings: Any) -> None:
    settings.ZENDESK_MAX_JOBS = 1
    made = guarded(untagged(demo, 250))

    def cancel() -> None:
        made.job.refresh_from_db()
        if made.job.changed and made.job.status == Status.RUNNING:
            actions.cancel(job=made.job, by=ANA)

    job = run(made, tick=cancel)
    assert (job.status, job.changed < 250) == ("cancelled", True)
    assert counts(run(guard_job(job))) == {"changed": job.changed}
    rest = follow(job, FollowUp.REST)
    run(guard_job(rest))
    assert [GUARD in demo.tags(ref) for ref in outcomes(job)] == [False] * 250


def test_retry_and_partial_end_leave_none_behind_either(demo: Demo) -> None:
    refs = untagged(demo, 4)
    demo.fault("item_error", ids=refs[:1], times=1, code="RecordInvalid", text="Resolution: is required")
    job = run(guarded(refs))
    assert (job.status, counts(run(guard_job(job)))) == ("partial", {"changed": 3})
    retry = follow(job, FollowUp.RETRY)
    assert GUARD in demo.tags(refs[0])
    assert counts(run(guard_job(retry))) == {"changed": 1}
    assert [GUARD in demo.tags(ref) for ref in refs] == [False] * 4


def test_what_changed_nothing_or_only_tried_makes_no_such_job(demo: Demo) -> None:
    refs = untagged(demo, 2)
    dry = run(guarded(refs, dry_run=True))
    for ref in refs:
        demo.account.edit(ref, add=["vip"])
    idle = run(guarded(refs))
    assert (counts(dry), counts(idle), Job.objects.count()) == ({"planned": 2}, {"unchanged": 2}, 2)
    real = follow(dry, FollowUp.RUN)
    assert (counts(real), real.guarded, real.children.count()) == ({"unchanged": 2}, "until_end", 0)


@pytest.mark.parametrize("step", [Failpoint.CALL_MADE, Failpoint.SETTLED, Failpoint.ENDING])
def test_a_worker_that_dies_leaves_exactly_one(
    demo: Demo, monkeypatch: pytest.MonkeyPatch, step: Failpoint
) -> None:
    class Died(BaseException):
        pass

    def die(at: Failpoint) -> None:
        if at is step:
            raise Died

    refs = untagged(demo, 3)
    made = guarded(refs)
    with monkeypatch.context() as patch:
        patch.setattr("jobs.runtime.failpoints._listeners", [die])
        with pytest.raises(Died):
            run(made)
    assert not made.job.children.exists()
    Job.objects.update(lease_token="", lease_owner="", beat_at=None)
    job = run(made.job)
    for _ in range(3):  # wake-ups that come late find an ended job
        run(job)
    assert counts(run(guard_job(job))) == {"changed": 3}
    assert dict(demo.account.ledger.updates) == dict.fromkeys(refs, 2)


def test_an_end_that_is_rolled_back_takes_its_follow_up_along(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: Any) -> None:
        raise RuntimeError("the disk is full")

    made = guarded(untagged(demo, 1))
    with monkeypatch.context() as patch:
        patch.setattr("jobs.runtime.wakeups.wake", break_down)
        with pytest.raises(RuntimeError):
            run(made)
    made.job.refresh_from_db()
    assert (made.job.status, made.job.changed, made.job.children.count()) == ("errored", 1, 0)
    actions.resume(job=made.job, by=ANA)
    assert counts(run(guard_job(run(made.job)))) == {"changed": 1}


def test_taking_the_guard_off_is_not_taken_back_but_its_rest_can_be_done(demo: Demo) -> None:
    job = run(guarded(untagged(demo, 2)))
    after = guard_job(job)
    demo.fault("item_error", times=1, code="RecordInvalid", text="Busy")
    after = run(after)
    assert counts(after) == {"failed": 2}
    retry = follow(after, FollowUp.RETRY)
    assert (counts(retry), retry.children.count()) == ({"changed": 2}, 0)
    for done in (after, retry):
        with pytest.raises(actions.NotPossible):
            actions.follow_up(job=done, kind=FollowUp.UNDO, by=ANA)
    with pytest.raises(actions.NotPossible, match="taken off by itself when the job has ended"):
        actions.follow_up(job=job, kind=FollowUp.UNGUARD, by=ANA)


def test_tags_that_would_be_too_long_with_it_leave_the_ticket_alone(demo: Demo) -> None:
    ref = untagged(demo, 1)[0]
    demo.account.edit(ref, add=[letter * 250 for letter in "abcdefghijklmnopqrst"])
    held = sum(map(len, demo.tags(ref))) + len(demo.tags(ref)) - 1
    demo.account.edit(ref, add=["z" * (5096 - held - 1 - len(" vip "))])
    job = run(guarded([ref]))
    assert (counts(job), job.items.get().reason) == ({"skipped": 1}, "too_many_tags")


def test_closed_tickets_need_no_guard_for_no_trigger_runs_on_them(demo: Demo) -> None:
    demo.account.configure(allow_closed=True)
    refs = [ref for ref in demo.closed_tickets if "vip" not in demo.tags(ref)][:2]
    job = run(guarded(refs, closed=True))
    assert counts(job) == {"changed": 2}
    assert counts(run(guard_job(job))) == {"unchanged": 2}
    assert dict(demo.account.ledger.updates) == dict.fromkeys(refs, 1)
