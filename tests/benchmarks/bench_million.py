"""A million tickets end to end, and from a thousand to a million in powers of ten.

Numbers in a file, as a command is given them; a worker, a server of pages and a demo Zendesk without delays,
each in a process of its own. On the database that this leaves: the pages, the exports, retry, undo, and at
last the deletion of all of it.
"""

from __future__ import annotations

import http.client
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from django.db import connection
from django.db.models import F

from jobs import actions
from jobs.actors import Actor
from jobs.models import Job
from jobs.reports import recount
from jobs.states import FollowUp
from tests.benchmarks import chart, figures, sizes
from tests.benchmarks.bench_prune import COMMAND
from tests.benchmarks.pages import Address, of_one_job
from tests.benchmarks.web import Web, served
from tests.benchmarks.worker_processes import Fleet, at_work, await_end, size_of_database
from tests.benchmarks.zendesk_process import account

CLIENT = Actor(name="bench")
#: Tickets of the smallest job.
LEAST = 1_000
#: Tickets of the largest job that are refused at first, and how often each page is asked for.
REFUSED, TIMES = 200, 20
KINDS = ("csv", "json", "ndjson")
COLUMNS = (
    *("job", "tickets", "seconds", "ms a ticket", "tickets a second", "calls"),
    *("worker peak MB", "web peak MB", "database MB"),
)


def powers(most: int) -> list[int]:
    found = [LEAST]
    while found[-1] < most:
        found.append(min(found[-1] * 10, most))
    return found


class Stage:
    """The processes, and the table that is filled while they work."""

    def __init__(self, fleet: Fleet, web: Web) -> None:
        self.fleet, self.web = fleet, web
        self.web_peak = 0.0
        self.rows: list[tuple[object, ...]] = []

    def end(self, what: str, job: Job) -> float:
        """Wait for the job, and note what it took; seconds."""
        await_end([job], self.fleet)
        assert job.finished_at
        assert job.remaining == 0
        seconds, tickets = (job.finished_at - job.created_at).total_seconds(), job.found
        self.web_peak = self.web.peak_memory()
        calls = job.calls_read + job.calls_write + job.calls_status
        self.rows.append(
            (
                *(what, f"{tickets:,}", f"{seconds:.1f}", f"{seconds / tickets * 1000:.2f}"),
                *(f"{tickets / seconds:,.0f}", f"{calls:,}", f"{self.fleet.peak_mb:.0f}"),
                *(f"{self.web_peak:.0f}", f"{size_of_database():.0f}"),
            )
        )
        return seconds


def tag_listed(refs: list[int], name: str) -> Job:
    return actions.submit(
        tool="bulk-tag",
        title=f"Add a tag to {len(refs):,} tickets",
        params={"add": [f"campaign_{name}"], "remove": [], "set": [], "include_closed": True},
        source={"kind": "ids", "name": "numbers.csv", "number": len(refs), "doubles": 0},
        refs=refs,
        by=CLIENT,
    ).job


def asked(web: Web, line: http.client.HTTPConnection, job: Job) -> tuple[list[tuple[object, ...]], float]:
    """Each page in turn, then each export to its end; the table, and the seconds of the slowest export."""
    pages = of_one_job(job.pk, half=job.items.order_by("ref")[job.found // 2].ref)
    seconds: dict[Address, list[float]] = {address: [] for address in pages}
    for number in range(TIMES + 1):
        for address, taken in seconds.items():
            answer = web.get(address.url, line)
            assert answer.status == 200, address
            if number:  # the first is to warm up
                taken.append(answer.seconds * 1000)
    rows: list[tuple[object, ...]] = [
        (address.name, f"{figures.median(taken):.0f}", f"{figures.percentile(taken, 95):.0f}", "")
        for address, taken in seconds.items()
    ]
    slowest = 0.0
    for kind in KINDS:
        answer = web.get(f"/jobs/{job.pk}/export.{kind}", line)
        assert answer.status == 200
        slowest = max(slowest, answer.seconds)
        size = f"{answer.size / 1e6:.0f} MB, web peak {web.peak_memory():.0f} MB"
        rows.append((f"export, {kind}", f"{answer.seconds * 1000:,.0f}", "", size))
    return rows, slowest


def pruned(environment: dict[str, str], jobs: int) -> str:
    """Delete all of them as if they were old; what it took."""
    Job.objects.update(finished_at=F("finished_at") - timedelta(days=30))
    before = size_of_database()
    command = [sys.executable, "-c", COMMAND, "prune_jobs", "--older-than", "20", "--yes"]
    told = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    assert f"Deleted {jobs} jobs" in told
    assert Job.stored.count() == 0
    return (
        f"Deleting them all held {float(told.split()[-1]):.0f} MB at most; the database was {before:.0f} MB "
        f"before and {size_of_database():.0f} MB after."
    )


def test_million(transactional_db: None, process_environment: dict[str, str], tmp_path: Path) -> None:
    most = sizes.most()
    with account(tickets=most, allow_closed=True) as zendesk:
        environment = process_environment | zendesk.environment
        refs = zendesk.refs()
        with (
            at_work(environment, tmp_path) as fleet,
            served(environment) as web,
            closing(web.connect()) as line,
        ):
            stage = Stage(fleet, web)
            times = {}
            job = Job()
            for tickets in powers(most):
                if tickets == most:
                    zendesk.refuse(refs[:: most // REFUSED][:REFUSED])
                job = tag_listed(refs[:tickets], str(tickets))
                times[tickets] = stage.end("add a tag", job) / tickets * 1000
            assert (job.status, job.found, job.failed) == ("partial", most, REFUSED)
            zendesk.refuse([])
            pages, slowest = asked(web, line, job)
            retry = actions.follow_up(job=job, kind=FollowUp.RETRY, by=CLIENT).job
            stage.end("retry", retry)
            assert retry.changed == REFUSED
            undo = actions.follow_up(job=job, kind=FollowUp.UNDO, by=CLIENT).job
            stage.end("undo", undo)
            assert undo.changed == most - REFUSED
            assert list(recount.drifts()) == []
            tagged = [ref for ref, tags in zendesk.tags(refs[:1000]).items() if f"campaign_{most}" in tags]
            assert set(tagged) == set(retry.items.values_list("ref", flat=True)) & set(refs[:1000])
            told = pruned(environment, Job.objects.count())
        assert list(recount.drifts()) == []
    figures.keep(
        "million",
        tickets=most,
        worker_mb=fleet.peak_mb,
        web_mb=stage.web_peak,
        export_s=slowest,
        least_ms=min(times.values()),
        most_ms=max(times.values()),
    )
    figures.tell(
        f"A million, {figures.database()}",
        "Numbers of a file, tagged by a worker on a demo Zendesk that answers at once.\n"
        f"{told} Target: worker and web under 150 MB.",
        COLUMNS,
        stage.rows,
    )
    figures.tell(
        f"Pages and exports of the largest job, {figures.database()}",
        f"Over real HTTP, {TIMES} times each, while the worker waits for work.",
        ("page", "median ms", "95 % ms", ""),
        pages,
    )
    chart.write(connection.vendor, times)
