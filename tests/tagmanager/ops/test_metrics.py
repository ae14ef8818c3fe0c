"""What the figures at `/metrics` say of jobs that ran against the demo Zendesk."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from jobs import actions
from jobs.actors import COMMAND_LINE
from jobs.common.process_id import this_process
from jobs.models import Beat, Job, Transition
from jobs.states import BatchState, FollowUp, Status
from jobs.workers import heartbeats, reaper
from tagmanager.tools import tools
from tagmanager.version import version
from tests import factories
from tests.demo import Demo, follow, run, submit
from tests.tagmanager.ops.conftest import Samples, Scrape, exposition

NOTHING: Samples = {
    **{f"jobs{{{status},{slug}}}": 0 for slug in tools() for status in Status},
    **{f"tickets_total{{{outcome}}}": 0 for outcome in ("planned", "changed", "unchanged", "skipped")},
    **{f"tickets_total{{{outcome}}}": 0 for outcome in ("failed", "unverified")},
    "tickets_pending": 0,
    **{f"zendesk_calls_total{{{kind}}}": 0 for kind in ("read", "write", "status", "verify")},
    **{f"jobs_waiting{{{reason}}}": 0 for reason in ("rate_limit", "job_slots", "service_away")},
    **{f"jobs_waiting{{{reason}}}": 0 for reason in ("worker_lost", "database", "held")},
    "job_waits_total": 0,
    "jobs_ready": 0,
    "jobs_ready_oldest_seconds": 0,
    **{f"batches{{{state}}}": 0 for state in ("pending", "sending", "sent", "settled")},
    "batches_in_flight": 0,
    "batches_in_flight_limit": 7,
    "workers": 0,
    "worker_state{alive}": 0,
    "worker_state{stuck}": 0,
    "worker_state{none}": 1,
    "clock_offset_seconds": 0,
    "standstill{held}": 0,
    "standstill{copy}": 0,
    **{f"worker_degraded{{{name}}}": 0 for name in ("heartbeat", "clock_check", "take_over", "wake_up")},
    **{f"worker_degraded{{{name}}}": 0 for name in ("cluster_beats", "cluster_processes", "standstill")},
    "worker_degraded{daily_chores}": 0,
    "worker_degraded{fault_report}": 0,
    "workers_lost_total": 0,
    "queue_messages{due}": 0,
    "queue_messages{held}": 0,
    f"build_info{{{version()}}}": 1,
}


def changes(before: Samples, after: Samples) -> Samples:
    """What is another number now, or was not told before."""
    return {name: value for name, value in after.items() if before.get(name) != value}


def test_an_empty_database_reports_every_metric_as_zero(scrape: Scrape, settings: Settings) -> None:
    settings.ZENDESK_MAX_JOBS = 7
    assert scrape() == NOTHING


def test_the_metrics_of_a_job_from_start_to_end(demo: Demo, scrape: Scrape) -> None:
    has_it, *open_ = demo.open_tickets[:11]
    first = run(submit(refs=[has_it], add=["brand-new"]))
    before = scrape()
    made = submit(refs=[has_it, *open_, *demo.closed_tickets[:3]], add=["brand-new"], here=False)
    queued = scrape() | {"jobs_ready_oldest_seconds": 0.0}  # on a busy machine a second may have passed
    assert changes(before, queued) == {
        "jobs{queued,bulk-tag}": 1,
        "jobs_ready": 1,
        "queue_messages{due}": 1,
    }
    job = run(made)
    assert min(job.calls_read, job.calls_write, job.calls_status) > 0
    assert changes(queued, scrape()) == {
        "jobs{queued,bulk-tag}": 0,
        "jobs{succeeded,bulk-tag}": 2,
        "tickets_total{changed}": 11,
        "tickets_total{unchanged}": 1,
        "tickets_total{skipped}": 3,
        "zendesk_calls_total{read}": first.calls_read + job.calls_read,
        "zendesk_calls_total{write}": first.calls_write + job.calls_write,
        "zendesk_calls_total{status}": first.calls_status + job.calls_status,
        "zendesk_calls_total{verify}": first.calls_verify + job.calls_verify,
        "batches{settled}": 2,
        "jobs_ready": 0,
    }


def test_waits_are_counted_by_reason(demo: Demo, scrape: Scrape) -> None:
    refs = demo.open_tickets[:20]
    demo.fault("too_many_jobs", times=None)
    job = run(submit(refs=refs, add=["brand-new"]))
    waits = scrape()
    wanted = ("jobs{waiting,bulk-tag}", "jobs_waiting{job_slots}", "job_waits_total", "tickets_pending")
    assert {name: waits[name] for name in wanted} == dict(zip(wanted, (1, 1, 1, 20), strict=True))
    assert (waits["queue_messages{held}"], waits["batches{pending}"], waits["jobs_ready"]) == (1, 1, 0)
    demo.account.faults.clear()
    Job.objects.update(resumes_at=timezone.now())
    run(job)
    done = scrape()
    assert {name: done[name] for name in wanted} == dict(zip(wanted, (0, 0, 1, 0), strict=True))


def test_a_lost_worker_stays_counted(scrape: Scrape) -> None:
    host, boot, _, _, namespace = this_process().split("/")
    factories.job(Status.RUNNING, lease_token="a" * 32, lease_owner=f"{host}/{boot}/999999999/1/{namespace}")
    assert scrape()["workers_lost_total"] == 0
    reaper.reap()
    lost = scrape()
    assert (lost["workers_lost_total"], lost["jobs_waiting{worker_lost}"], lost["jobs_ready"]) == (1, 1, 1)
    Job.objects.update(crash_count=0)  # as soon as another worker has settled a batch
    assert scrape()["workers_lost_total"] == 1


def test_batches_in_flight_are_counted_as_the_engine_does(scrape: Scrape) -> None:
    running, stopped = factories.job(Status.RUNNING), factories.job(Status.ERRORED, error="Refused.")
    for state in BatchState:
        factories.batch(running, state)
    factories.batch(stopped, BatchState.SENT)
    factories.batch(stopped, BatchState.SENT, sent_at=timezone.now() - timedelta(minutes=6))
    found = scrape()
    assert {name: value for name, value in found.items() if name.startswith("batches")} == {
        "batches{pending}": 1,
        "batches{sending}": 1,
        "batches{sent}": 3,
        "batches{settled}": 1,
        "batches_in_flight": 3,
        "batches_in_flight_limit": 10,
    }


def test_workers_are_reported_as_for_probes(scrape: Scrape) -> None:
    heartbeats.beat()
    alive = scrape()
    assert (alive["workers"], alive["worker_state{alive}"], alive["worker_newest_beat_age_seconds"]) == (
        1,
        1,
        0,
    )
    job = submit(refs=[1], here=False).job
    Transition.objects.filter(job=job).update(at=timezone.now() - timedelta(seconds=40))
    stuck = scrape()
    assert (stuck["worker_state{alive}"], stuck["worker_state{stuck}"]) == (0, 1)
    assert stuck["jobs_ready_oldest_seconds"] == 40
    Beat.objects.update(at=timezone.now() - timedelta(minutes=2))
    gone = scrape()
    assert (gone["workers"], gone["worker_state{none}"], gone["worker_newest_beat_age_seconds"]) == (
        0,
        1,
        120,
    )


def test_totals_never_decrease(demo: Demo, scrape: Scrape) -> None:
    told = [scrape()]
    refs = demo.open_tickets[:30]
    jobs = [run(submit(refs=refs[:10], add=["one"], dry_run=True)), run(submit(refs=refs, add=["two"]))]
    told.append(scrape())
    follow(jobs[1], FollowUp.UNDO)
    told.append(scrape())
    queued = submit(refs=refs, here=False).job
    actions.cancel(job=queued, by=COMMAND_LINE)
    told.append(scrape())
    for before, after in pairwise(told):
        assert [name for name in before if "_total" in name and after[name] < before[name]] == []
    assert told[-1]["tickets_total{planned}"] == 10
    assert told[-1]["tickets_total{changed}"] == 60


def test_every_name_has_its_kind_and_unit(client: Client, scrape: Scrape) -> None:
    scrape()
    families = list(text_string_to_metric_families(exposition(client)))
    assert len(families) > 10
    for family in families:
        assert family.name.startswith("tagmanager_")
        assert family.documentation.endswith(".")
        assert family.type in ("gauge", "counter")
        counted = {sample.name.endswith("_total") for sample in family.samples}
        assert counted == {family.type == "counter"}


def test_no_label_has_the_name_of_a_person_a_job_or_a_tag(client: Client, scrape: Scrape) -> None:
    person = factories.runner("zenobia")
    job = factories.job(Status.PARTIAL, title="Add quokka", params={"add": ["quokka"]}, created_by=person)
    factories.item(job, 4711, "failed", reason="quokka", detail="quokka 4711")
    scrape()
    text = exposition(client).lower()
    assert [word for word in ("zenobia", "quokka", "4711", "test:1") if word in text] == []


def test_the_number_of_queries_does_not_grow_and_none_reads_tickets(scrape: Scrape) -> None:
    with CaptureQueriesContext(connection) as few:
        scrape()
    heartbeats.beat()
    for status in Status:
        factories.batch(factories.job(status))
    with CaptureQueriesContext(connection) as many:
        scrape()
    assert [query["sql"] for query in many if "jobs_item" in query["sql"]] == []
    assert len(many) == len(few) == 10
