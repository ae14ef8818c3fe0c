"""Twelve people at the pages, and a job at work, while Zendesk hangs on what pages ask, or answers oddly.

Shows the 95th percentile of pages, of their parts and of `/healthz`, and how much longer the job takes than
with nobody at the pages.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from jobs.models import Job
from tests import crowd
from tests.benchmarks import figures, sizes
from tests.benchmarks.bench_pipeline import tag_all
from tests.benchmarks.web import start_gunicorn
from tests.benchmarks.worker_processes import WorkerProcesses, start_workers
from tests.benchmarks.zendesk_process import ZendeskProcess, start_zendesk

#: Seconds after which a job is not awaited any longer; some wait ten minutes for what a viewer was refused.
PATIENCE = 300.0
COLUMNS = (
    *("what Zendesk does to pages", "answers", "not 200", "pages 95 % s", "most", "parts 95 % s", "most"),
    *("healthz 95 % s", "most", "job s", "its calls", "pages' calls"),
)
#: By name: the fault on every path that pages ask; None: nobody is at the pages.
SCENES: dict[str, dict[str, Any] | None] = {
    "nobody at the pages": None,
    "answers": {},
    "hangs": {"kind": "hang"},
    "sends a byte a second": {"kind": "trickle", "pause": 1, "head": True},
    "429, Retry-After 600": {"kind": "rate_limited", "retry_after": 600},
    "503": {"kind": "server_error_before"},
}
JOB_CALLS = ("PUT tickets/update_many", "GET tickets/show_many", "GET job_statuses/show_many")


@dataclass(frozen=True, slots=True)
class Scene:
    visits: list[crowd.Visit]
    job: Job
    seconds: float  # of the job
    calls: dict[str, int]


def test_viewers(transactional_db: None, process_environment: dict[str, str], tmp_path: Path) -> None:
    rows = []
    for name, fault in SCENES.items():
        scene = _play(fault, process_environment, tmp_path / name.replace(" ", "-"))
        rows.append(_row(name, scene))
        figures.save_row("viewers", COLUMNS, rows[-1], key=1)
    figures.print_table(
        f"Twelve people at the pages, {figures.database()}",
        f"gunicorn with one process and four threads; a job of {sizes.viewed_tickets():,} tickets, delays at "
        f"{sizes.delay_factor():g}.",
        COLUMNS,
        rows,
    )


def _play(fault: dict[str, Any] | None, environment: dict[str, str], folder: Path) -> Scene:
    folder.mkdir()
    tickets, scale = sizes.viewed_tickets(), sizes.delay_factor()
    with start_zendesk(tickets=2 * tickets, scale=scale, runtime_scale=scale, rate_limit=700) as zendesk:
        connected = environment | zendesk.environment | {"VAR_DIR": str(folder)}
        with start_workers(connected, folder) as workers, start_gunicorn(connected) as web:
            with closing(web.connect()) as http:
                web.get("/login/", http)  # the process is up, and has loaded what it needs
            if fault:
                _add(zendesk, fault)
            job = tag_all(zendesk, "file", tickets, "viewed")
            name, _, cookie = web.cookie.partition("=")
            with ThreadPoolExecutor(1) as beside:
                visits = beside.submit(
                    lambda: (
                        []
                        if fault is None
                        else crowd.visit_all(
                            f"http://127.0.0.1:{web.port}",
                            {name: cookie},
                            rounds=sizes.rounds(),
                        )
                    )
                )
                seconds = _await_end(job, workers)
                return Scene(visits.result(), job, seconds, zendesk.ledger()["calls"])


def _add(zendesk: ZendeskProcess, fault: dict[str, Any]) -> None:
    for path in crowd.ASKED_BY_PAGES:
        rule = {"match": f"GET /api/v2/{path}", "times": None, **fault}
        requests.post(f"{zendesk.url}/_control/faults", json=rule, timeout=60).raise_for_status()


def _await_end(job: Job, workers: WorkerProcesses) -> float:
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE:
        job.refresh_from_db()
        if job.finished_at:
            return (job.finished_at - job.created_at).total_seconds()
        workers.sample_memory()
        time.sleep(0.2)
    return PATIENCE


def _row(name: str, scene: Scene) -> tuple[object, ...]:
    healthz = [visit.seconds for visit in scene.visits if visit.path == "/healthz"]
    parts = [visit.seconds for visit in scene.visits if visit.is_part]
    pages = [visit.seconds for visit in scene.visits if not visit.is_part and visit.path != "/healthz"]
    cells = [cell for seconds in (pages, parts, healthz) for cell in _spread(seconds)]
    failed = sum(visit.status != 200 for visit in scene.visits)
    ours = sum(scene.calls.get(call, 0) for call in JOB_CALLS)
    others = sum(scene.calls.values()) - ours - scene.calls.get("POST oauth/tokens", 0)
    ended = f"{scene.seconds:.1f}" if scene.job.finished_at else f"over {PATIENCE:.0f}"
    return (name, len(scene.visits), failed, *cells, ended, ours, others)


def _spread(seconds: list[float]) -> tuple[str, str]:
    if not seconds:
        return "", ""
    return f"{figures.percentile(seconds, 95):.2f}", f"{max(seconds):.2f}"
