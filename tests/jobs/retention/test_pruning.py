"""Which jobs are deleted and which stay, how one is deleted, and what others see of it meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from jobs import actions, followups
from jobs.actors import Actor
from jobs.models import Batch, Item, Job, ListedRefs, Pruning, Transition
from jobs.reports import exports, metrics, recount
from jobs.retention import deletion, pruning
from jobs.runtime.database_retry import DatabaseRetry
from jobs.states import FINAL, FollowUp, Guarded, Outcome, Status
from jobs.workers import reaper
from tests import factories
from tests.demo import ANA, Demo, counts, follow, run, submit

BEFORE = timezone.now() - timedelta(days=30)
OLD = BEFORE - timedelta(days=1)
TABLES: tuple[type[Model], ...] = (Job, Item, Batch, ListedRefs, Transition)


def old(status: Status = Status.SUCCEEDED, **fields: Any) -> Job:
    """A job that ended before then, with a row in each table."""
    fields = {"created_at": OLD, "finished_at": OLD, "changed": 1, **fields}
    fields.setdefault("found", sum(fields.get(outcome.value, 0) for outcome in FINAL))
    made = factories.job(status, **fields)
    factories.item(made, 4711, batch=factories.batch(made, changed=1))
    ListedRefs.objects.create(job=made, number=0, refs="4711")
    return made


def prune(**options: Any) -> deletion.Deleted:
    return pruning.prune(
        pruning.find_prunable(BEFORE).families, before=BEFORE, by=ANA, patience=DatabaseRetry(60.0), **options
    )


def rows() -> dict[str, int]:
    """How many there are in each table of ours that knows a job, with jobs that are being deleted."""
    counted = {model.__name__: model._base_manager.count() for model in TABLES}
    assert {model for model in apps.get_app_config("jobs").get_models() if hasattr(model, "job")} == {
        *TABLES[1:]
    }
    return counted


def age(*jobs: Job) -> None:
    Job.objects.filter(pk__in=[job.pk for job in jobs]).update(finished_at=OLD)


def test_only_what_ended_long_ago_is_deleted_with_every_row_of_it(job_counts: None) -> None:
    going = [old(), old(Status.PARTIAL), old(Status.CANCELLED)]
    staying = [
        old(finished_at=BEFORE),
        *(old(status, finished_at=None) for status in sorted(set(Status) - {job.status for job in going})),
    ]
    looked = pruning.find_prunable(BEFORE)
    assert [family.eldest for family in looked.families] == [job.pk for job in going]
    assert (looked.jobs, looked.tickets, looked.changed, looked.followed, looked.read) == (3, 3, 3, 0, 0)
    assert looked.standing == [job.pk for job in staying[1:]]
    kept = Transition.objects.exclude(job__in=going).count()
    assert prune() == deletion.Deleted(jobs=3, items=3)
    assert list(Job.stored.order_by("pk")) == staying
    number = len(staying)
    assert rows() == {
        "Job": number,
        "Item": number,
        "Batch": number,
        "ListedRefs": number,
        "Transition": kept,
    }


def test_a_family_is_deleted_as_a_whole_or_not_at_all(job_counts: None) -> None:
    first = old()
    retry = old(parent=first, follow_up=FollowUp.RETRY)
    again = old(parent=retry, follow_up=FollowUp.RETRY, finished_at=timezone.now())
    other = old()
    assert [family.eldest for family in pruning.find_prunable(BEFORE).families] == [other.pk]
    assert pruning.find_prunable(BEFORE).followed == 2
    prune()
    assert list(Job.stored.order_by("pk")) == [first, retry, again]
    Job.objects.filter(pk=again.pk).update(status=Status.PAUSED, finished_at=None)
    assert pruning.find_prunable(BEFORE).families == []
    Job.objects.filter(pk=again.pk).update(status=Status.CANCELLED, finished_at=OLD)
    assert prune() == deletion.Deleted(jobs=3, items=3)
    assert set(rows().values()) == {0}


def test_a_job_is_kept_while_one_that_has_not_ended_takes_its_tickets(job_counts: None) -> None:
    taken, left_out, unread = old(), old(), old()
    source = {
        "kind": "several",
        "of": [{"kind": "tag", "tag": "vip"}, {"kind": "items", "job": taken.pk, "outcomes": ["changed"]}],
        "without": [{"kind": "items", "job": left_out.pk, "outcomes": ["failed"]}],
    }
    reader = factories.job(Status.ERRORED, source=source, frozen_at=None, total=None, found=0)
    assert pruning.find_prunable(BEFORE).read == 2
    prune()
    assert list(Job.stored.order_by("pk")) == [taken, left_out, reader]
    assert not pruning.mark_family(taken.pk, before=BEFORE, by=ANA, at=timezone.now())
    Job.objects.filter(pk=reader.pk).update(status=Status.CANCELLED, finished_at=timezone.now())
    assert prune() == deletion.Deleted(jobs=2, items=2)
    assert unread not in Job.stored.all()


def test_changes_that_can_be_undone_are_counted_without_those_that_were_or_never_could_be(db: None) -> None:
    undone = old(changed=5)
    old(changed=5, parent=undone, follow_up=FollowUp.UNDO)
    retried = old(changed=7, guarded=Guarded.STAYS)
    old(changed=3, parent=retried, follow_up=FollowUp.RETRY)
    half_undone = old(changed=2)
    old(Status.CANCELLED, changed=1, parent=half_undone, follow_up=FollowUp.UNDO)
    freed = old(changed=1, guarded=Guarded.STAYS)
    old(changed=1, parent=freed, follow_up=FollowUp.UNGUARD)
    looked = pruning.find_prunable(BEFORE)
    assert (looked.jobs, looked.changed, looked.guarded) == (8, 7 + 3 + 2 + 1, 1)


def test_a_job_is_deleted_with_its_undo_and_the_totals_go_on_from_there(demo: Demo) -> None:
    refs = demo.open_tickets[:30]
    first = run(submit(refs=refs, add=["brand-new"]))
    undone = follow(first, FollowUp.UNDO)
    kept = run(submit(refs=refs, add=["other"]))
    Transition.objects.create(job=first, to_status=Status.WAITING, actor="worker")
    Job.objects.filter(pk=first.pk).update(workers_lost=2)
    before = metrics.collect()
    age(first, undone)
    assert prune() == deletion.Deleted(jobs=2, items=60)
    after = metrics.collect()
    assert list(Job.stored.all()) == [kept]
    for name in ("outcomes", "calls", "parked", "workers_lost", "pending"):
        assert getattr(after, name) == getattr(before, name), name
    assert (after.jobs, after.parked, after.workers_lost) == ({("bulk-tag", "succeeded"): 1}, 1, 2)
    run_of_it = Pruning.objects.get()
    assert (run_of_it.jobs, run_of_it.found, run_of_it.changed) == (2, 60, 60)
    assert (run_of_it.actor, run_of_it.ended_before) == ("ana", BEFORE)
    assert counts(follow(kept, FollowUp.UNDO)) == {"changed": 30}


@pytest.fixture
def marked(db: None) -> Job:
    """A job that is being deleted, as a run that was killed leaves it."""
    job = old(Status.PARTIAL, changed=1, failed=1, nonce="sent long ago")
    factories.item(job, 4712, Outcome.FAILED)
    assert pruning.mark_family(job.pk, before=BEFORE, by=ANA, at=timezone.now())
    return job


def test_a_job_that_is_being_deleted_is_hidden_and_half_of_it_is_no_drift(
    marked: Job, client: Client
) -> None:
    seen = old(title="This one is seen")
    Item.objects.filter(job=marked, ref=4711).delete()
    client.force_login(factories.user("root", is_staff=True, is_superuser=True))
    address = f"/jobs/{marked.pk}"
    for path in ("/", "/status", "/export.csv", "/live", "/undo", "/retry"):
        assert client.get(f"{address}{path}").status_code == 404, path
    assert client.post(f"{address}/undo").status_code == 404
    assert b"old jobs are deleted after a time" in client.get(f"{address}/").content
    for path in ("/jobs/", "/", "/jobs/rows", "/admin/jobs/job/"):
        page = client.get(path)
        assert page.status_code == 200
        assert f"/jobs/{marked.pk}".encode() not in page.content
    assert b"This one is seen" in client.get("/jobs/").content
    listed = {name: client.get(f"/admin/jobs/{name}/") for name in ("item", "batch", "transition", "pruning")}
    assert [answer.context["cl"].result_count for answer in listed.values()] == [1, 1, 1, 1]
    assert list(recount.drifts()) == []
    assert reaper.reap() == 0
    assert [job for job in metrics.collect().jobs.items() if job[1]] == [(("bulk-tag", "succeeded"), 1)]
    prune()
    assert list(Job.stored.all()) == []
    assert not Job.objects.filter(pk=seen.pk).exists()


@pytest.mark.parametrize("what", [FollowUp.UNDO, FollowUp.RETRY])
def test_a_job_that_is_being_deleted_cannot_be_followed_up(marked: Job, what: FollowUp) -> None:
    with pytest.raises(actions.NotPossible, match=f"Job {marked.pk} is not there any more: it was deleted"):
        actions.follow_up(job=marked, kind=what, by=ANA)
    assert list(Job.stored.all()) == [marked]


def test_a_job_that_is_being_deleted_gives_no_other_one_its_tickets(marked: Job) -> None:
    with pytest.raises(actions.NotPossible, match=f"Job {marked.pk} is not there any more"):
        actions.submit(
            tool="bulk-tag",
            title="Add vip",
            params={},
            source={"kind": "items", "job": marked.pk, "outcomes": ["changed"]},
            by=ANA,
        )
    assert list(Job.stored.all()) == [marked]


def test_a_form_that_was_sent_for_a_deleted_job_makes_a_new_one(marked: Job) -> None:
    assert submit(refs=[1], nonce="sent long ago", here=False).is_new


def test_a_family_that_was_followed_up_since_it_was_read_stays(db: None) -> None:
    job = old(Status.PARTIAL, changed=1, failed=1)
    families = pruning.find_prunable(BEFORE).families
    actions.follow_up(job=job, kind=FollowUp.RETRY, by=ANA)
    done = pruning.prune(families, before=BEFORE, by=ANA, patience=DatabaseRetry(60.0))
    assert (done, Job.objects.count(), Pruning.objects.count()) == (deletion.Deleted(), 2, 0)


def test_no_comment_is_posted_twice_because_a_family_was_deleted_in_part(db: None) -> None:
    """Which comments were made is known from all jobs of the family: none goes before the others."""
    first = old(Status.PARTIAL, changed=1, failed=1)
    Batch.objects.update(once=True)
    retry = factories.job(Status.RUNNING, parent=first, follow_up=FollowUp.RETRY)
    prune()
    assert followups.family_history(retry, [4711]).made == {4711: first.pk}


@pytest.mark.parametrize("pieces", range(1, 9))
def test_after_an_interruption_anywhere_the_next_run_does_the_rest(
    monkeypatch: pytest.MonkeyPatch, job_counts: None, pieces: int
) -> None:
    """Two items at a time: first and second of a family of two, then what belongs to them, then the jobs."""
    monkeypatch.setattr(deletion, "ITEMS_AT_ONCE", 2)
    first = old(changed=1, found=4)
    for ref in (1, 2, 3):
        factories.item(first, ref, Outcome.UNCHANGED)
    Job.objects.filter(pk=first.pk).update(unchanged=3)
    old(parent=first, follow_up=FollowUp.UNDO)
    before = metrics.collect().outcomes
    told: list[int] = []

    def break_off(done: deletion.Deleted) -> None:
        told.append(done.items)
        if len(told) == pieces:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prune(tell=break_off)
    assert (list(recount.drifts()), metrics.collect().outcomes, Job.objects.count()) == ([], before, 0)
    assert Job.stored.being_pruned().count() == Job.stored.count()
    prune()
    assert (set(rows().values()), metrics.collect().outcomes) == ({0}, before)
    assert Pruning.objects.get().jobs == 2


def test_an_export_that_is_read_while_its_job_is_deleted_does_not_pass_for_a_whole_one(db: None) -> None:
    job = old()
    lines = exports.rows(job)
    assert next(lines).ticket_id == 4711
    prune()
    with pytest.raises(exports.JobDeleted, match=f"Job {job.pk} was deleted meanwhile, so its export is not"):
        list(lines)


def test_a_recount_does_not_call_it_a_drift_that_a_job_is_deleted_meanwhile(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, drifts_of = old(), recount._drifts_of

    def late(read: Job) -> Any:
        prune()
        return drifts_of(read)

    monkeypatch.setattr(recount, "_drifts_of", late)
    assert list(recount.drifts()) == []
    assert not Job.stored.filter(pk=job.pk).exists()


def test_two_runs_at_the_same_time_delete_each_row_once(db: None) -> None:
    old(), old()
    others: list[deletion.Deleted] = []

    def meanwhile(_: deletion.Deleted) -> None:
        if not others:
            others.append(deletion.Deleted())
            others.append(
                pruning.prune(families, before=BEFORE, by=Actor("bo"), patience=DatabaseRetry(60.0))
            )

    families = pruning.find_prunable(BEFORE).families
    done = pruning.prune(families, before=BEFORE, by=ANA, patience=DatabaseRetry(60.0), tell=meanwhile)
    assert (done.jobs + others[1].jobs, done.items + others[1].items) == (2, 2)
    assert sum(Pruning.objects.values_list("jobs", flat=True)) == 2
    assert set(rows().values()) == {0}
