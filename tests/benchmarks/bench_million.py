"""A million tickets end to end, and from a thousand to a million in powers of ten.

Numbers in a file, as a command is given them; a worker, a server of pages and a demo Zendesk without delays,
each in a process of its own. On the database that this leaves: the pages, the exports, undo and retry.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from django.db import connection

from jobs import actions, audit
from jobs.actors import Actor
from jobs.models import Job
from jobs.states import FollowUp
from tests.benchmarks import chart, figures, sizes
from tests.benchmarks.account import account
from tests.benchmarks.web import Web, served
from tests.benchmarks.workers import Fleet, at_work, await_end, size_of_database

CLIENT = Actor(name="bench")
#: Tickets of the smallest job.
LEAST = 1_000
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
        assert (job.status, job.remaining) == ("succeeded", 0)
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
                job = tag_listed(refs[:tickets], str(tickets))
                times[tickets] = stage.end("add a tag", job) / tickets * 1000
                assert (job.changed, job.found) == (tickets, tickets)
                for page in ("", "status"):
                    assert web.get(f"/jobs/{job.pk}/{page}", line).status == 200
            answer = web.get(f"/jobs/{job.pk}/export.csv", line)
            assert answer.status == 200
            undo = actions.follow_up(job=job, kind=FollowUp.UNDO, by=CLIENT).job
            stage.end("undo", undo)
            assert undo.changed == most
        assert list(audit.drifts()) == []
        lost = [ref for ref, tags in zendesk.tags(refs[:1000]).items() if f"campaign_{most}" in tags]
        assert lost == []
    figures.keep(
        "million",
        tickets=most,
        worker_mb=fleet.peak_mb,
        web_mb=stage.web_peak,
        export_s=answer.seconds,
        least_ms=min(times.values()),
        most_ms=max(times.values()),
    )
    figures.tell(
        f"A million, {figures.database()}",
        "Numbers of a file, tagged by a worker on a demo Zendesk that answers at once.\n"
        f"The export of the largest job took {answer.seconds:.0f} s. Target: worker and web under 150 MB.",
        COLUMNS,
        stage.rows,
    )
    chart.write(connection.vendor, times)
