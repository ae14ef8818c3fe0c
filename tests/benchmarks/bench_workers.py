"""One, two and four workers on several jobs at once: their throughput, and how fairly they share it.

The demo Zendesk runs in its own process with recorded delays. All workers share its slots and its rate limit.
"""

from __future__ import annotations

from pathlib import Path

from jobs import actions
from jobs.actors import Actor
from tests.benchmarks import figures, sizes
from tests.benchmarks.worker_processes import await_end, start_workers
from tests.benchmarks.zendesk_process import start_zendesk

WORKERS, JOBS, SLOTS = (1, 2, 4), 4, 30
#: Calls a minute that the account allows, and the share that the app may use (ZENDESK_RATE_SHARE).
CALLS, SHARE = 2_500, 0.7
COLUMNS = (
    *("workers", "jobs", "tickets", "seconds", "tickets a second"),
    *("first ended s", "last ended s", "calls", "refused calls", "most in flight"),
)


def test_workers(transactional_db: None, process_environment: dict[str, str], tmp_path: Path) -> None:
    scale, share = sizes.delay_factor(), sizes.compared_tickets() // JOBS
    rows = []
    for workers in WORKERS:
        limit = CALLS / scale  # with shorter delays the minute is shorter, too
        with start_zendesk(
            tickets=JOBS * share, scale=scale, runtime_scale=scale, rate_limit=int(limit)
        ) as zendesk:
            refs = zendesk.ticket_ids()
            environment = process_environment | zendesk.environment | {"ZENDESK_MAX_JOBS": str(SLOTS)}
            with start_workers(environment, tmp_path, workers=workers):
                jobs = [
                    actions.submit(
                        tool="bulk-tag",
                        title="Add a tag to a part of the tickets",
                        params={"add": [f"part_{number}"], "remove": [], "set": [], "include_closed": False},
                        source={"kind": "ids", "name": "", "number": share, "doubles": 0},
                        refs=refs[number * share : (number + 1) * share],
                        by=Actor(name="bench"),
                    ).job
                    for number in range(JOBS)
                ]
                await_end(jobs)
            assert [(job.is_ended, job.found, job.remaining) for job in jobs] == [(True, share, 0)] * JOBS
            ledger = zendesk.ledger()
            assert ledger["most_jobs_at_once"] <= SLOTS
            begun = min(job.created_at for job in jobs)
            ends = sorted((job.finished_at - begun).total_seconds() for job in jobs if job.finished_at)
            rows.append(
                (
                    *(
                        workers,
                        JOBS,
                        f"{JOBS * share:,}",
                        f"{ends[-1]:.1f}",
                        f"{JOBS * share / ends[-1]:,.0f}",
                    ),
                    *(f"{ends[0]:.1f}", f"{ends[-1]:.1f}", f"{sum(ledger['calls'].values()):,}"),
                    *(ledger["answers"].get("429", 0), ledger["most_jobs_at_once"]),
                )
            )
            figures.save(f"workers {workers}", tickets_a_second=JOBS * share / ends[-1])
    figures.print_table(
        f"Several workers, {figures.database()}",
        f"{JOBS} jobs at once, {SLOTS} slots for all together; recorded delays times {scale}, and the\n"
        f"account's limit in proportion: {CALLS:,} calls a minute, {SHARE:.0%} of them for the app.",
        COLUMNS,
        rows,
    )
