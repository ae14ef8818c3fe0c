"""The main job from choosing to undo, against the demo Zendesk."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from jobs import actions
from jobs.engine import readings
from jobs.engine.readings import SNAPSHOT_MAX_AGE
from jobs.models import Item, Job
from jobs.states import FollowUp
from tests.demo import ANA, Demo, counts, demo_zendesk, follow, outcomes, run, submit
from zendesk.sandbox import VIEW_UNSOLVED, VIEW_UNTAGGED


def test_every_ticket_of_a_view_is_tagged_once_and_no_other_is_touched(demo: Demo) -> None:
    chosen = demo.account.view_ticket_ids(VIEW_UNSOLVED)
    before = {ref: demo.tags(ref) for ref in demo.account.ticket_ids()}
    job = run(submit(view=VIEW_UNSOLVED))
    without = [ref for ref in chosen if "vip" not in before[ref]]
    assert job.status == "succeeded"
    assert counts(job) == {"changed": len(without), "unchanged": len(chosen) - len(without)}
    assert {ref: demo.tags(ref) for ref in before} == {
        ref: tags | {"vip"} if ref in chosen else tags for ref, tags in before.items()
    }
    assert dict(demo.account.ledger.updates) == dict.fromkeys(without, 1)


def test_a_view_that_shrinks_as_it_is_tagged_is_tagged_to_its_last_ticket(demo: Demo) -> None:
    chosen = demo.account.view_ticket_ids(VIEW_UNTAGGED)
    assert len(chosen) > 200
    job = run(submit(view=VIEW_UNTAGGED))
    assert outcomes(job) == dict.fromkeys(chosen, "changed")
    assert demo.account.view_ticket_ids(VIEW_UNTAGGED) == []


def test_a_second_run_writes_nothing(demo: Demo) -> None:
    run(submit(view=VIEW_UNSOLVED))
    written = demo.calls("PUT tickets/update_many")
    job = run(submit(view=VIEW_UNSOLVED))
    assert counts(job) == {"unchanged": len(demo.account.view_ticket_ids(VIEW_UNSOLVED))}
    assert demo.calls("PUT tickets/update_many") == written
    assert job.calls_write == 0


@pytest.mark.once
@pytest.mark.slow
def test_twelve_thousand_tickets_take_no_more_calls_than_necessary(
    db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a slow machine readings would age while their batches wait, and be made again.
    monkeypatch.setattr(readings, "SNAPSHOT_MAX_AGE", timedelta(hours=1))
    with demo_zendesk(settings, tickets=15_000, scale=0.02) as demo:
        in_view = set(demo.account.view_ticket_ids(VIEW_UNTAGGED))
        job = run(submit(view=VIEW_UNTAGGED, limit=12_000))
        assert counts(job) == {"changed": 12_000}
        assert set(outcomes(job)) <= in_view
        assert dict(demo.account.ledger.updates) == dict.fromkeys(outcomes(job), 1)
        assert (job.calls_read, job.calls_write) == (120, 120)
        assert job.calls_status <= 48
        assert demo.calls("GET job_statuses/show_many") == job.calls_status


def test_undo_restores_every_ticket_exactly(demo: Demo) -> None:
    before = {ref: demo.tags(ref) for ref in demo.account.ticket_ids()}
    job = run(submit(view=VIEW_UNSOLVED, add=["vip", "q3"], remove=["billing"]))
    undone = follow(job, FollowUp.UNDO)
    assert undone.status == "succeeded"
    assert undone.changed == job.changed
    assert {ref: demo.tags(ref) for ref in before} == before


def test_undo_leaves_later_changes_of_others_alone_and_reports_them(demo: Demo) -> None:
    plain, retagged, removed, restored = [
        ref for ref in demo.open_tickets if not demo.tags(ref) & {"vip", "old"}
    ][:4]
    for ref in (plain, retagged, removed, restored):
        demo.account.edit(ref, add=["old"])
    before = {ref: demo.tags(ref) for ref in (plain, retagged, removed, restored)}
    job = run(submit(refs=list(before), add=["vip"], remove=["old"]))
    demo.account.edit(retagged, add=["other"])
    demo.account.edit(removed, remove=["vip"])
    demo.account.edit(restored, add=["old"], remove=["vip"])
    undone = follow(job, FollowUp.UNDO)
    assert demo.tags(plain) == before[plain]
    assert demo.tags(retagged) == before[retagged] | {"other"}
    assert demo.tags(removed) == before[removed]
    assert demo.tags(restored) == before[restored]
    assert outcomes(undone) == {
        plain: "changed", retagged: "changed", removed: "changed", restored: "unchanged",
    }  # fmt: skip
    said = dict(undone.items.values_list("ref", "detail"))
    assert said == {
        plain: "",
        retagged: "Since then someone added other; that was left alone.",
        removed: "Since then someone removed vip; that was left alone.",
        restored: "Since then someone added old and removed vip; that was left alone.",
    }


def test_undo_of_an_undo_restores_the_change(demo: Demo) -> None:
    refs = [ref for ref in demo.open_tickets if "vip" not in demo.tags(ref)][:5]
    job = run(submit(refs=refs))
    follow(follow(job, FollowUp.UNDO), FollowUp.UNDO)
    assert ["vip" in demo.tags(ref) for ref in refs] == [True] * 5


def test_setting_tags_exactly_replaces_them_and_undo_brings_them_back(demo: Demo) -> None:
    refs = demo.open_tickets[:130]
    before = {ref: demo.tags(ref) for ref in refs}
    job = run(submit(refs=refs, exact=["clean", "slate"]))
    assert [demo.tags(ref) for ref in refs] == [{"clean", "slate"}] * 130
    assert job.calls_write == 2
    follow(job, FollowUp.UNDO)
    assert {ref: demo.tags(ref) for ref in refs} == before


def test_setting_tags_exactly_loses_no_tag_that_others_add_meanwhile(demo: Demo) -> None:
    ref = demo.open_tickets[0]
    made = submit(refs=[ref], exact=["clean"])

    def tag_it_between_reading_and_sending() -> None:
        if Item.objects.filter(ref=ref).exists() and not demo.account.ledger.sent:
            demo.account.edit(ref, add=["theirs"])

    job = run(made, tick=tag_it_between_reading_and_sending)
    assert job.status == "succeeded"
    assert demo.tags(ref) == {"clean"}
    item = job.items.get()
    assert item.before is not None
    assert "theirs" in item.before["tags"]  # refused as a conflict, read again, and undo will bring it back


def test_a_dry_run_writes_nothing_and_can_be_run_for_real(demo: Demo) -> None:
    chosen = demo.account.view_ticket_ids(VIEW_UNTAGGED)
    dry = run(submit(view=VIEW_UNTAGGED, dry_run=True))
    assert outcomes(dry) == dict.fromkeys(chosen, "planned")
    assert dry.status == "succeeded"
    assert demo.account.ledger.sent == {}
    real = follow(dry, FollowUp.RUN)
    assert outcomes(real) == dict.fromkeys(chosen, "changed")
    assert real.parent == dry


def test_closed_unknown_and_duplicate_tickets_are_accounted_for(demo: Demo) -> None:
    open_, closed = demo.open_tickets[0], demo.closed_tickets[0]
    job = run(submit(refs=[open_, closed, open_, 999_999_999, closed], add=["brand-new"]))
    assert job.total == 3
    assert {item.ref: (str(item.outcome), item.reason) for item in job.items.all()} == {
        open_: ("changed", ""),
        closed: ("skipped", "closed"),
        999_999_999: ("skipped", "not_found"),
    }
    assert job.status == "succeeded"


def test_closed_tickets_are_changed_if_requested_and_allowed(db: None, settings: Any) -> None:
    with demo_zendesk(settings, allow_closed=True) as demo:
        closed = demo.closed_tickets[:3]
        job = run(submit(refs=closed, add=["brand-new"], closed=True))
        assert outcomes(job) == dict.fromkeys(closed, "changed")


def test_closed_tickets_that_zendesk_refuses_fail_alone_with_its_words(demo: Demo) -> None:
    open_, closed = demo.open_tickets[0], demo.closed_tickets[0]
    job = run(submit(refs=[open_, closed], add=["brand-new"], closed=True))
    assert job.status == "partial"
    assert outcomes(job) == {open_: "changed", closed: "failed"}
    failed = job.items.get(ref=closed)
    assert failed.reason == "closed"
    assert "closed prevents ticket update" in failed.detail
    retried = follow(job, FollowUp.RETRY)
    assert list(outcomes(retried)) == [closed]


def test_a_limit_takes_the_first_tickets_only(demo: Demo) -> None:
    job = run(submit(view=VIEW_UNTAGGED, limit=150))
    assert (job.total, job.changed) == (150, 150)
    assert len(demo.account.ledger.updates) == 150


def test_searches_and_tags_are_read_through_the_export(demo: Demo) -> None:
    refs = demo.open_tickets[:120]
    for ref in refs:
        demo.account.edit(ref, add=["legacy:thing"])
    job = run(submit(tag="legacy:thing", add=["found"], remove=["legacy:thing"]))
    assert set(outcomes(job)) == set(refs)
    again = run(submit(search="tags:found status<closed", remove=["found"]))
    assert set(outcomes(again)) == set(refs)
    assert demo.calls("GET search/export") > 0


def test_a_list_longer_than_the_installation_allows_stops_before_anything_is_written(
    demo: Demo, settings: Any
) -> None:
    settings.JOB_TICKET_LIMIT = 150
    job = run(submit(view=VIEW_UNTAGGED))
    assert job.status == "errored"
    assert "more than 150 tickets" in job.error
    assert demo.account.ledger.sent == {}


def test_a_ticket_without_room_for_another_tag_is_skipped(demo: Demo) -> None:
    ref = demo.open_tickets[0]
    demo.account.edit(ref, add=[f"{number:03}-{'x' * 100}" for number in range(45)])
    job = run(submit(refs=[ref], add=["y" * 250, "z" * 250, "w" * 250]))
    assert (str(job.items.get().outcome), job.items.get().reason) == ("skipped", "too_many_tags")


def test_readings_that_are_too_old_are_made_again_before_sending(demo: Demo) -> None:
    same, done_by_others, deleted = [ref for ref in demo.open_tickets if "vip" not in demo.tags(ref)][:3]
    made = submit(refs=[same, done_by_others, deleted])

    def age_the_reading() -> None:
        fresh = made.job.batches.filter(sent_at__isnull=True, read_at__gt=timezone.now() - SNAPSHOT_MAX_AGE)
        if deleted in demo.account.ticket_ids() and fresh.update(read_at=F("read_at") - SNAPSHOT_MAX_AGE):
            demo.account.edit(same, add=["theirs"])
            demo.account.edit(done_by_others, add=["vip"])
            demo.account.delete(deleted)

    job = run(made, tick=age_the_reading)
    assert outcomes(job) == {same: "changed", done_by_others: "unchanged", deleted: "skipped"}
    before = job.items.get(ref=same).before
    assert before is not None
    assert "theirs" in before["tags"]


def test_a_job_without_any_ticket_succeeds_with_nothing_done(demo: Demo) -> None:
    job = run(submit(search="tags:nobody-has-this-tag"))
    assert (job.status, job.total) == ("succeeded", 0)


def test_nothing_of_a_ticket_but_tags_and_status_is_stored(demo: Demo) -> None:
    run(submit(refs=demo.open_tickets[:3]))
    stored = Item.objects.values_list("before", flat=True)
    assert {key for before in stored for key in before or {}} == {"tags", "status", "updated_at"}
    assert Job.objects.count() == 1


def test_a_canary_changes_the_first_tickets_and_asks_before_the_rest(demo: Demo) -> None:
    refs = demo.open_tickets[:250]
    made = submit(refs=refs, add=["brand-new"], canary=25)
    job = run(made)
    assert job.status == "paused"
    assert counts(job) == {"changed": 25, "remaining": 225}
    assert demo.account.ledger.sent.total() == 25
    assert job.transitions.latest("id").why == (
        "Tried on the first 25 tickets: 25 changed. Look at them: going on sends the other 225, "
        "stopping leaves them as they are."
    )
    assert (job.canary, job.tried_at is not None) == (25, True)
    actions.resume(job=job, by=ANA)
    assert outcomes(run(job)) == dict.fromkeys(refs, "changed")
    assert dict(demo.account.ledger.updates) == dict.fromkeys(refs, 1)


def test_a_canary_reports_what_failed_on_the_first_tickets(demo: Demo) -> None:
    refs = sorted(demo.open_tickets[:30])
    demo.fault("item_error", ids=[refs[0]], times=None)
    job = run(submit(refs=refs, add=["brand-new"], canary=10))
    assert (job.status, counts(job)) == ("paused", {"changed": 9, "failed": 1, "remaining": 20})
    assert job.transitions.latest("id").why == (
        "Tried on the first 10 tickets: 9 changed, 1 failed. Look at them: going on sends the other 20, "
        "stopping leaves them as they are."
    )


def test_a_canary_larger_than_the_job_does_not_hold_it(demo: Demo) -> None:
    job = run(submit(refs=demo.open_tickets[:10], add=["brand-new"], canary=10))
    assert job.status == "succeeded"


def test_a_canary_requested_with_the_preview_holds_the_real_run(demo: Demo) -> None:
    dry = run(submit(refs=demo.open_tickets[:50], add=["brand-new"], canary=10, dry_run=True))
    real = follow(dry, FollowUp.RUN)
    assert (real.status, counts(real)) == ("paused", {"changed": 10, "remaining": 40})
