"""The pipe full: a job against a demo Zendesk with recorded delays, and what those delays alone would take.

The ideal knows no program, only the other side: the pages of the list one after the other, because each
says where the next begins, and of a search no more in a minute than Zendesk gives; then the batches, as many
at a time as places are given, each as long as a full one takes, in whole rounds. Nobody could be quicker. All
that is measured above it is ours: the calls that queue the batches and ask about them, the database, the
waiting for a worker, the time a batch lies done and unnoticed.
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
from tests.benchmarks.worker_processes import at_work, await_end
from tests.benchmarks.zendesk_process import Account, account
from zendesk.sandbox import VIEW_UNSOLVED
from zendesk.sandbox.limits import SEARCH_EXPORT
from zendesk.sandbox.serving.runtimes import RECORDED_SECONDS
from zendesk.sandbox.tickets.bulk_jobs import QUEUE_SECONDS, TICKET_SECONDS

PAGE = BATCH = 100
EXPORT = "GET search/export"
#: Of the tickets of a demo account, well under one in so many is unsolved.
UNSOLVED = 3
#: Each source, and the calls by which its list is read.
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
)


def ideal(tickets: int, *, places: int, reading: str, scale: float) -> tuple[float, float]:
    """Seconds that the other side alone takes to give the list, and to change the tickets."""
    pages, batches = math.ceil(tickets / PAGE), math.ceil(tickets / BATCH)
    rounds = math.ceil(batches / places)
    listing = scale * pages * RECORDED_SECONDS[reading]
    if reading == EXPORT:  # the first minute's pages come at once, and no scale makes its minutes shorter
        listing = max(listing, (pages - SEARCH_EXPORT.total) / SEARCH_EXPORT.total * 60)
    return listing, scale * rounds * (QUEUE_SECONDS + BATCH * TICKET_SECONDS)


def tag_all(source: str, tickets: int, places: int) -> Job:
    stored, _ = SOURCES[source]
    return actions.submit(
        tool="bulk-tag",
        title="Add a tag to many tickets",
        params={"add": [f"{source}_{places}_{tickets}"], "remove": [], "set": [], "include_closed": False},
        source=stored,
        limit=tickets,
        by=Actor(name="bench"),
    ).job


def measure(zendesk: Account, environment: dict[str, str], folder: Path, tickets: int, scale: float) -> Rows:
    rows: Rows = []
    for places in sizes.places():
        connected = environment | zendesk.environment | {"ZENDESK_MAX_JOBS": str(places)}
        with at_work(connected, folder) as fleet:
            for source, (_, reading) in SOURCES.items():
                job = tag_all(source, tickets, places)
                await_end([job], fleet)
                assert (job.status, job.total, job.changed) == ("succeeded", tickets, tickets)
                assert job.finished_at
                assert job.frozen_at
                listing, sending = ideal(tickets, places=places, reading=reading, scale=scale)
                best, took = listing + sending, (job.finished_at - job.created_at).total_seconds()
                listed = (job.frozen_at - job.created_at).total_seconds() / listing
                sent = (job.finished_at - job.frozen_at).total_seconds() / sending
                seconds = (f"{best:.1f}", f"{took:.1f}", f"{took / best:.2f}", f"{listed:.2f}", f"{sent:.2f}")
                calls = (job.calls_read, job.calls_write, job.calls_status)
                rows.append((source, f"{tickets:,}", f"{scale:g}", places, *seconds, *calls))
                figures.keep(
                    f"pipe {source} {tickets} {places}",
                    times=took / best,
                    reads=job.calls_read,
                    writes=job.calls_write,
                    checks=job.calls_status,
                    peak_mb=fleet.peak_mb,
                )
    assert zendesk.ledger()["most_jobs_at_once"] <= max(sizes.places())
    return rows


def test_pipe(transactional_db: None, process_environment: dict[str, str], tmp_path: Path) -> None:
    # The database hardly matters here: the larger ones are measured on one of them.
    asked = sizes.piped()[:1] if connection.vendor == "postgresql" else sizes.piped()
    rows: Rows = []
    for tickets, scale in asked:
        with account(tickets=UNSOLVED * tickets, scale=scale, runtime_scale=scale) as zendesk:
            rows += measure(zendesk, process_environment, tmp_path, tickets, scale)
    figures.tell(
        f"The pipe full, {figures.database()}",
        "A worker, and a demo Zendesk in its own process with the recorded delays, times the column.\n"
        "Ideal: its pages in sequence and its batches in whole rounds. Target: at most 1.15 times that,\n"
        "and for 10,000 tickets of a view at most 100 reads, 100 writes, 40 status checks.",
        COLUMNS,
        rows,
    )
