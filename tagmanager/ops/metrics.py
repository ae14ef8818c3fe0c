"""The metrics of `/metrics`, for Prometheus.

Every scrape reads the database and no process keeps any state, so all web and worker processes report the
same without a shared file. Names follow prometheus.io/docs/practices/naming: base units, and `_total` for
counters. Labels have only values from the program itself, never names of people, jobs, tickets or tags.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from django.conf import settings
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from jobs.engine.pacing import concurrency
from jobs.installation.standstill import Cause
from jobs.reports import metrics
from jobs.reports.metrics import Figures
from jobs.states import Status
from jobs.workers import health
from jobs.workers.faults import DutyName
from tagmanager import tools as installed
from tagmanager.version import version

Family = GaugeMetricFamily | CounterMetricFamily
#: One number, or one for each value of a label.
Numbers = float | Mapping[str, int]


class DatabaseCollector(Collector):
    """Reads all metrics from the database. Raises `DatabaseError` if it does not answer."""

    def collect(self) -> Iterator[Family]:
        begun = time.perf_counter()
        found = metrics.collect()
        yield from _jobs(found)
        yield from _tickets(found)
        yield from _batches(found)
        yield from _workers(found)
        family = GaugeMetricFamily("tagmanager_build_info", "Always 1.", labels=["version"])
        family.add_metric([version()], 1)
        yield family
        took = time.perf_counter() - begun
        yield _gauge("scrape_duration_seconds", "How long it took to read all this from the database.", took)


registry = CollectorRegistry(auto_describe=False)
registry.register(DatabaseCollector())


def _jobs(found: Figures) -> Iterator[Family]:
    # Every status of every tool, even at 0: a new time series would have no history to compare with.
    slugs = sorted({*installed.tools(), *(tool for tool, _ in found.jobs)})
    family = GaugeMetricFamily("tagmanager_jobs", "Jobs by tool and status.", labels=["tool", "status"])
    for slug in slugs:
        for status in Status:
            family.add_metric([slug, status.value], found.jobs.get((slug, status.value), 0))
    yield family
    yield _gauge("jobs_waiting", "Jobs that go on by themselves at a time.", found.waiting, "reason")
    yield _counter("job_waits", "How often a job was put down to wait.", found.parked)
    ready = found.health
    yield _gauge("jobs_ready", "Jobs that wait for a worker, and for nothing else.", ready.jobs_waiting)
    oldest = ready.oldest_waiting_seconds or 0
    yield _gauge("jobs_ready_oldest_seconds", "How long the oldest of them has waited, else 0.", oldest)


def _tickets(found: Figures) -> Iterator[Family]:
    yield _counter("tickets", "Tickets that ended so, over all jobs.", found.outcomes, "outcome")
    yield _gauge("tickets_pending", "Tickets without an outcome, of jobs that have not ended.", found.pending)
    yield _counter("zendesk_calls", "Calls to Zendesk that jobs have made.", found.calls, "kind")


def _batches(found: Figures) -> Iterator[Family]:
    yield _gauge("batches", "Batches of up to 100 tickets each.", found.batches, "state")
    yield _gauge("batches_in_flight", "Batches that Zendesk is at work on, of all jobs.", found.under_way)
    most = concurrency.most_in_flight(settings.ZENDESK_MAX_JOBS)
    yield _gauge("batches_in_flight_limit", "How many there may be now, ZENDESK_MAX_JOBS at most.", most)


def _workers(found: Figures) -> Iterator[Family]:
    now = found.health
    yield _gauge("workers", "Living workers (run_worker) on all hosts.", now.workers)
    states = {state.value: int(state is now.worker_state) for state in health.State}
    yield _gauge("worker_state", "1 for the state that all workers together are in.", states, "state")
    if now.newest_beat_seconds is not None:
        age = now.newest_beat_seconds
        yield _gauge("worker_newest_beat_age_seconds", "Since the newest sign of life of a worker.", age)
    offset = now.clock_offset_seconds
    yield _gauge("clock_offset_seconds", "Of the worst clock of a host; above 0: ahead.", offset)
    stops = {cause.value: int(cause == now.standstill) for cause in Cause}
    yield _gauge("standstill", "1 where all jobs are held, or the database is a copy.", stops, "cause")
    failing = {name.value: now.degraded.get(name, 0) for name in DutyName} | now.degraded
    words = "Processes of workers in which this duty fails while jobs go on."
    yield _gauge("worker_degraded", words, failing, "duty")
    yield _counter("workers_lost", "Workers that died with a job in hand.", found.workers_lost)
    messages = {"due": found.messages_due, "held": found.messages_held}
    yield _gauge("queue_messages", "Messages in the queue of the workers.", messages, "state")


def _gauge(name: str, words: str, numbers: Numbers, label: str = "") -> Family:
    return _filled(GaugeMetricFamily, name, words, numbers, label)


def _counter(name: str, words: str, numbers: Numbers, label: str = "") -> Family:
    return _filled(CounterMetricFamily, name, words, numbers, label)


def _filled(kind: type[Family], name: str, words: str, numbers: Numbers, label: str) -> Family:
    family = kind(f"tagmanager_{name}", words, labels=[label] if label else [])
    if isinstance(numbers, Mapping):
        for value, number in numbers.items():
            family.add_metric([value], number)
    else:
        family.add_metric([], numbers)
    return family
