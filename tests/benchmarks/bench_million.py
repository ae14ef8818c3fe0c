"""A million tickets end to end, in jobs of a thousand to a million tickets by powers of ten.

The tickets are numbers in a file. A worker, the web server and a demo Zendesk without delays each run in
their own process. On the resulting database this measures pages, exports, retry and undo, and finally the
deletion of everything.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path

from django.db import connection
from django.db.models import F

from jobs import actions
from jobs.actors import Actor
from jobs.models import Job
from jobs.reports import recount
from jobs.states import FollowUp
from tests.benchmarks import chart, figures, sizes
from tests.benchmarks.bench_prune import RUN_AND_PRINT_PEAK
from tests.benchmarks.pages import Page, pages_of_one_job
from tests.benchmarks.web import WebServer, start_gunicorn
from tests.benchmarks.worker_processes import WorkerProcesses, await_end, database_mb, start_workers
from tests.benchmarks.zendesk_process import start_zendesk

ACTOR = Actor(name="bench")
#: Tickets of the smallest job.
SMALLEST_JOB = 1_000
#: Tickets of the largest job that Zendesk refuses at first; requests for each page.
REFUSED, REPETITIONS = 200, 20
FORMATS = ("csv", "json", "ndjson")
COLUMNS = (
    *("job", "tickets", "seconds", "ms a ticket", "tickets a second", "calls"),
    *("worker peak MB", "web peak MB", "database MB"),
)


def sizes_up_to(most: int) -> list[int]:
    found = [SMALLEST_JOB]
    while found[-1] < most:
        found.append(min(found[-1] * 10, most))
    return found


class Measurement:
    """The processes under test, and the table of what they measured."""

    def __init__(self, workers: WorkerProcesses, web: WebServer) -> None:
        self.workers, self.web = workers, web
        self.web_peak = 0.0
        self.rows: list[tuple[object, ...]] = []

    def await_job(self, what: str, job: Job) -> float:
        """Wait for the job to end, add its row to the table, and return its seconds."""
        await_end([job], self.workers)
        assert job.finished_at
        assert job.remaining == 0
        seconds, tickets = (job.finished_at - job.created_at).total_seconds(), job.found
        self.web_peak = self.web.peak_memory()
        calls = job.calls_read + job.calls_write + job.calls_status
        self.rows.append(
            (
                *(what, f"{tickets:,}", f"{seconds:.1f}", f"{seconds / tickets * 1000:.2f}"),
                *(f"{tickets / seconds:,.0f}", f"{calls:,}", f"{self.workers.peak_mb:.0f}"),
                *(f"{self.web_peak:.0f}", f"{database_mb():.0f}"),
            )
        )
        return seconds


def submit_file(refs: list[int], name: str) -> Job:
    return actions.submit(
        tool="bulk-tag",
        title=f"Add a tag to {len(refs):,} tickets",
        params={"add": [f"campaign_{name}"], "remove": [], "set": [], "include_closed": True},
        source={"kind": "ids", "name": "numbers.csv", "number": len(refs), "doubles": 0},
        refs=refs,
        by=ACTOR,
    ).job


def measure_pages(web: WebServer, http: HTTPConnection, job: Job) -> tuple[list[tuple[object, ...]], float]:
    """Request each page in turn, then each export; return the table and the seconds of the slowest export."""
    pages = pages_of_one_job(job.pk, half=job.items.order_by("ref")[job.found // 2].ref)
    seconds: dict[Page, list[float]] = {page: [] for page in pages}
    for number in range(REPETITIONS + 1):
        for page, taken in seconds.items():
            answer = web.get(page.url, http)
            assert answer.status == 200, page
            if number:  # the first round warms up
                taken.append(answer.seconds * 1000)
    rows: list[tuple[object, ...]] = [
        (page.name, f"{figures.median(taken):.0f}", f"{figures.percentile(taken, 95):.0f}", "")
        for page, taken in seconds.items()
    ]
    slowest = 0.0
    for format_ in FORMATS:
        answer = web.get(f"/jobs/{job.pk}/export.{format_}", http)
        assert answer.status == 200
        slowest = max(slowest, answer.seconds)
        size = f"{answer.size / 1e6:.0f} MB, web peak {web.peak_memory():.0f} MB"
        rows.append((f"export, {format_}", f"{answer.seconds * 1000:,.0f}", "", size))
    return rows, slowest


def prune_all(environment: dict[str, str], jobs: int) -> str:
    """Delete all jobs as if they were old; return a sentence about memory and disk."""
    Job.objects.update(finished_at=F("finished_at") - timedelta(days=30))
    before = database_mb()
    command = [sys.executable, "-c", RUN_AND_PRINT_PEAK, "prune_jobs", "--older-than", "20", "--yes"]
    output = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    assert f"Deleted {jobs} jobs" in output
    assert Job.stored.count() == 0
    return (
        f"Deleting all jobs took {float(output.split()[-1]):.0f} MB at most; the database had "
        f"{before:.0f} MB before and {database_mb():.0f} MB after."
    )


def test_million(transactional_db: None, process_environment: dict[str, str], tmp_path: Path) -> None:
    most = sizes.largest_job()
    with start_zendesk(tickets=most, allow_closed=True) as zendesk:
        environment = process_environment | zendesk.environment
        refs = zendesk.ticket_ids()
        with (
            start_workers(environment, tmp_path) as workers,
            start_gunicorn(environment) as web,
            closing(web.connect()) as http,
        ):
            measured = Measurement(workers, web)
            times = {}
            job = Job()
            for tickets in sizes_up_to(most):
                if tickets == most:
                    zendesk.refuse(refs[:: most // REFUSED][:REFUSED])
                job = submit_file(refs[:tickets], str(tickets))
                times[tickets] = measured.await_job("add a tag", job) / tickets * 1000
            assert (job.status, job.found, job.failed) == ("partial", most, REFUSED)
            zendesk.refuse([])
            pages, slowest = measure_pages(web, http, job)
            retry = actions.follow_up(job=job, kind=FollowUp.RETRY, by=ACTOR).job
            measured.await_job("retry", retry)
            assert retry.changed == REFUSED
            undo = actions.follow_up(job=job, kind=FollowUp.UNDO, by=ACTOR).job
            measured.await_job("undo", undo)
            assert undo.changed == most - REFUSED
            assert list(recount.drifts()) == []
            tagged = [ref for ref, tags in zendesk.tags(refs[:1000]).items() if f"campaign_{most}" in tags]
            assert set(tagged) == set(retry.items.values_list("ref", flat=True)) & set(refs[:1000])
            deletion = prune_all(environment, Job.objects.count())
        assert list(recount.drifts()) == []
    figures.save(
        "million",
        tickets=most,
        worker_mb=workers.peak_mb,
        web_mb=measured.web_peak,
        export_s=slowest,
        least_ms=min(times.values()),
        most_ms=max(times.values()),
    )
    figures.print_table(
        f"A million, {figures.database()}",
        "Ticket numbers from a file, tagged by a worker on a demo Zendesk that answers at once.\n"
        f"{deletion} Target: worker and web under 150 MB.",
        COLUMNS,
        measured.rows,
    )
    figures.print_table(
        f"Pages and exports of the largest job, {figures.database()}",
        f"Over real HTTP, {REPETITIONS} requests for each page, while the worker is idle.",
        ("page", "median ms", "95 % ms", ""),
        pages,
    )
    chart.write(connection.vendor, times)
