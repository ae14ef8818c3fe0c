"""A full pipeline: a job with default settings against a demo Zendesk with recorded delays, and the ideal.

The ideal counts only Zendesk's time. Pages of the list come one after the other, because each names the next,
and a search gives no more pages a minute than Zendesk allows. Then the batches run in whole rounds, one batch
in each slot, each as long as a full batch takes. Nor can a job be faster than its calls, of which the app
makes its share a minute. No program could be faster.

The rest of the measured time is overhead of the app: queueing batches, status checks, the database, the wait
for a worker, and finished batches that nobody has noticed yet.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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

BATCH = 100
#: A demo account needs at most this many tickets for each unsolved one.
UNSOLVED = 3
#: The share of the account's calls that a new installation makes, and its batches in flight.
SHARE, SLOTS = 0.7, 28
#: Status checks for each batch, as few as a program needs.
CHECKS = 1 / 3
#: Calls of the ledger, by the columns of the table.
READ, WRITE, CHECK = "GET tickets/show_many", "PUT tickets/update_many", "GET job_statuses/show_many"


@dataclass(frozen=True, slots=True)
class Source:
    """How a job's tickets are listed."""

    stored: dict[str, Any]
    reading: str = ""  # the call that reads a page; "": none is read
    page: int = BATCH  # most tickets of a page
    pages_a_minute: int | None = None


SOURCES = {
    "view": Source(
        {"kind": "view", "id": VIEW_UNSOLVED, "title": "All unsolved"}, "GET views/{view_id}/tickets"
    ),
    "search": Source(
        {"kind": "search", "query": "status<solved"}, "GET search/export", 1_000, SEARCH_EXPORT.total
    ),
    "file": Source({"kind": "ids", "name": "numbers.csv"}),
}
Rows = list[tuple[object, ...]]
COLUMNS = (
    *("source", "tickets", "delays", "calls/min", "in flight", "ideal s", "took s", "times"),
    *("list", "reads", "writes", "checks", "verify", "other", "refused", "window", "99 %"),
)


def ideal(source: Source, tickets: int, *, slots: int, scale: float, calls: int) -> float:
    """The seconds without which no program can list and change the tickets; `calls` a minute are allowed."""
    batches = math.ceil(tickets / BATCH)
    pages = math.ceil(tickets / source.page) if source.reading else 0
    listing = scale * pages * RECORDED_SECONDS.get(source.reading, 0.0)
    if source.pages_a_minute:  # the first minute's pages come at once; no factor shortens that minute
        listing = max(listing, (pages / source.pages_a_minute - 1) * 60)
    rounds = math.ceil(batches / slots)
    sending = scale * rounds * (QUEUE_SECONDS + BATCH * TICKET_SECONDS)
    needed = pages + 2 * batches + CHECKS * batches  # each is read right before it is sent
    return max(listing + sending, (needed / (calls * SHARE) - 1) * 60)


def tag_all(zendesk: ZendeskProcess, source: str, tickets: int, tag: str) -> Job:
    refs = zendesk.open_ids(tickets) if source == "file" else ()
    return actions.submit(
        tool="bulk-tag",
        title="Add a tag to many tickets",
        params={"add": [tag], "remove": [], "set": [], "include_closed": False},
        source=SOURCES[source].stored | ({"number": tickets, "doubles": 0} if refs else {}),
        refs=refs,
        limit=None if refs else tickets,
        by=Actor(name="bench"),
    ).job


def calls_a_minute(sized: sizes.Piped) -> int:
    """What the account allows: with shorter delays the minute is shorter, too."""
    return int(sized.calls / sized.scale)


def measure(zendesk: ZendeskProcess, environment: dict[str, str], folder: Path, sized: sizes.Piped) -> Rows:
    rows: Rows = []
    calls = calls_a_minute(sized)
    for slots in sizes.slots():
        chosen = {} if slots == SLOTS else {"ZENDESK_MAX_JOBS": str(slots)}
        with start_workers(environment | zendesk.environment | chosen, folder) as workers:
            for name in sizes.sources():
                before = Counter(zendesk.ledger()["calls"])
                job = tag_all(zendesk, name, sized.tickets, f"{name}_{slots}_{sized.tickets}")
                await_end([job], workers)
                assert (job.status, job.total, job.changed) == ("succeeded", sized.tickets, sized.tickets)
                assert job.finished_at
                source, made = SOURCES[name], Counter(zendesk.ledger()["calls"]) - before
                best = ideal(source, sized.tickets, slots=slots, scale=sized.scale, calls=calls)
                took = (job.finished_at - job.created_at).total_seconds()
                kinds = [made.pop(kind, 0) for kind in (source.reading, READ, WRITE, CHECK)]
                kinds[1] -= job.calls_verify  # these come on top: they read back what was changed
                middle, most, _ = window_of(job, scale=sized.scale)
                row = (
                    *(name, f"{sized.tickets:,}", f"{sized.scale:g}", sized.calls, slots),
                    *(f"{best:.1f}", f"{took:.1f}", f"{took / best:.2f}"),
                    *(*kinds, job.calls_verify, made.total(), zendesk.ledger()["answers"].get("429", 0)),
                    *(f"{middle:.1f}", f"{most:.1f}"),
                )
                figures.save(
                    f"pipeline {name} {sized.tickets} {sized.scale:g} {sized.calls} {slots}",
                    times=took / best,
                    **dict(zip(("pages", "reads", "writes", "checks"), kinds, strict=True)),
                    verify=job.calls_verify,
                    peak_mb=workers.peak_mb,
                )
                figures.save_row("pipeline", COLUMNS, row, key=5)
                rows.append(row)
    assert zendesk.ledger()["most_jobs_at_once"] <= max(sizes.slots())
    return rows


def test_pipeline(transactional_db: None, process_environment: dict[str, str], tmp_path: Path) -> None:
    rows: Rows = []
    for sized in sizes.pipeline_jobs():
        limit = calls_a_minute(sized)
        with start_zendesk(
            tickets=UNSOLVED * sized.tickets, scale=sized.scale, runtime_scale=sized.scale, rate_limit=limit
        ) as zendesk:
            rows += measure(zendesk, process_environment, tmp_path, sized)
    figures.print_table(
        f"A full pipeline, {figures.database()}",
        'A worker, and a demo Zendesk in its own process; its recorded delays times the column "delays".\n'
        "Ideal: pages in sequence, then batches in whole rounds, within the app's share of calls. Target:\n"
        "at most 1.10 times the ideal, and for 100,000 tickets of a search 150 pages, 1,000 reads,\n"
        "1,000 writes, 340 checks.\n"
        "Window: seconds from a batch's reading until Zendesk has it, median and 99th percentile.",
        COLUMNS,
        rows,
    )
