"""A full pipeline: a job against a demo Zendesk with recorded delays, compared with those delays alone.

The ideal counts only Zendesk's time. Pages of the list come one after the other, because each names the next,
and a search gives no more pages a minute than Zendesk allows. Then the batches run in whole rounds, one batch
in each slot, each as long as a full batch takes. No program could be faster.

The rest of the measured time is overhead of the app: queueing batches, status checks, the database, the wait
for a worker, and finished batches that nobody has noticed yet.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from django.db import connection

from jobs import actions
from jobs.actors import Actor
from jobs.models import Job
from tests.benchmarks import figures, sizes
from tests.benchmarks.window import window_of
from tests.benchmarks.worker_processes import await_end, start_workers
from tests.benchmarks.zendesk_process import ZendeskProcess, start_zendesk
from zendesk.sandbox import VIEW_UNSOLVED
from zendesk.sandbox.limits import SEARCH_EXPORT
from zendesk.sandbox.serving.runtimes import RECORDED_SECONDS
from zendesk.sandbox.tickets.bulk_jobs import QUEUE_SECONDS, TICKET_SECONDS

PAGE = BATCH = 100
EXPORT = "GET search/export"
#: A demo account needs at most this many tickets for each unsolved one.
UNSOLVED = 3
#: Each source, and the call that reads its list.
SOURCES: dict[str, tuple[dict[str, Any], str]] = {
    "view": ({"kind": "view", "id": VIEW_UNSOLVED, "title": "All unsolved"}, "GET views/{view_id}/tickets"),
    "search": ({"kind": "search", "query": "status<solved"}, EXPORT),
}
Rows = list[tuple[object, ...]]
COLUMNS = (
    "source",
    "tickets",
    "delays",
    "in flight",
    "ideal s",
    "took s",
    "times",
    "listing",
    "sending",
    "reads",
    "writes",
    "checks",
    "window",
    "99 %",
)


def ideal(tickets: int, *, slots: int, reading: str, scale: float) -> tuple[float, float]:
    """Seconds that Zendesk alone takes to give the list, and to change the tickets."""
    pages, batches = math.ceil(tickets / PAGE), math.ceil(tickets / BATCH)
    rounds = math.ceil(batches / slots)
    listing = scale * pages * RECORDED_SECONDS[reading]
    if reading == EXPORT:  # the first minute's pages come at once; no factor shortens that minute
        listing = max(listing, (pages - SEARCH_EXPORT.total) / SEARCH_EXPORT.total * 60)
    return listing, scale * rounds * (QUEUE_SECONDS + BATCH * TICKET_SECONDS)


def tag_all(source: str, tickets: int, slots: int) -> Job:
    stored, _ = SOURCES[source]
    return actions.submit(
        tool="bulk-tag",
        title="Add a tag to many tickets",
        params={"add": [f"{source}_{slots}_{tickets}"], "remove": [], "set": [], "include_closed": False},
        source=stored,
        limit=tickets,
        by=Actor(name="bench"),
    ).job


def measure(
    zendesk: ZendeskProcess, environment: dict[str, str], folder: Path, tickets: int, scale: float
) -> Rows:
    rows: Rows = []
    for slots in sizes.slots():
        connected = environment | zendesk.environment | {"ZENDESK_MAX_JOBS": str(slots)}
        with start_workers(connected, folder) as workers:
            for source, (_, reading) in SOURCES.items():
                job = tag_all(source, tickets, slots)
                await_end([job], workers)
                assert (job.status, job.total, job.changed) == ("succeeded", tickets, tickets)
                assert job.finished_at
                assert job.frozen_at
                listing, sending = ideal(tickets, slots=slots, reading=reading, scale=scale)
                best, took = listing + sending, (job.finished_at - job.created_at).total_seconds()
                listed = (job.frozen_at - job.created_at).total_seconds() / listing
                sent = (job.finished_at - job.frozen_at).total_seconds() / sending
                seconds = (f"{best:.1f}", f"{took:.1f}", f"{took / best:.2f}", f"{listed:.2f}", f"{sent:.2f}")
                calls = (job.calls_read, job.calls_write, job.calls_status)
                middle, most, _ = window_of(job, scale=scale)
                windows = (f"{middle:.1f}", f"{most:.1f}")
                rows.append((source, f"{tickets:,}", f"{scale:g}", slots, *seconds, *calls, *windows))
                figures.save(
                    f"pipeline {source} {tickets} {slots}",
                    times=took / best,
                    reads=job.calls_read,
                    writes=job.calls_write,
                    checks=job.calls_status,
                    peak_mb=workers.peak_mb,
                )
    assert zendesk.ledger()["most_jobs_at_once"] <= max(sizes.slots())
    return rows


def test_pipeline(transactional_db: None, process_environment: dict[str, str], tmp_path: Path) -> None:
    # The database hardly matters here, so the larger jobs run on SQLite only.
    jobs = sizes.pipeline_jobs()[:1] if connection.vendor == "postgresql" else sizes.pipeline_jobs()
    rows: Rows = []
    for tickets, scale in jobs:
        with start_zendesk(tickets=UNSOLVED * tickets, scale=scale, runtime_scale=scale) as zendesk:
            rows += measure(zendesk, process_environment, tmp_path, tickets, scale)
    figures.print_table(
        f"A full pipeline, {figures.database()}",
        'A worker, and a demo Zendesk in its own process; its recorded delays times the column "delays".\n'
        "Ideal: pages in sequence, then batches in whole rounds. Target: at most 1.15 times the ideal,\n"
        "and for 10,000 tickets of a view at most 200 reads, 100 writes, 40 status checks.\n"
        "Window: seconds from a batch's reading until Zendesk has it, median and 99th percentile.",
        COLUMNS,
        rows,
    )
