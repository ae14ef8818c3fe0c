"""Workers as in production: `run_worker` with its Django-Q2 cluster."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
from django.db import connection

from jobs.models import Job
from jobs.workers.processes import members, start, stop
from tests.benchmarks.figures import peak_memory

#: Seconds.
STOP_TIMEOUT, POLL_INTERVAL = 30.0, 0.2


class WorkerProcesses:
    """The processes of one supervisor, and the peak memory of the largest, in MB."""

    def __init__(self, supervisor: int) -> None:
        self._supervisor = supervisor
        self.peak_mb = 0.0

    def memory_mb(self) -> float:
        """The resident memory of its largest process now, in MB."""
        return max(process.memory_info().rss for process in self._children()) / 1e6

    def _children(self) -> list[psutil.Process]:
        return psutil.Process(self._supervisor).children(recursive=True)

    def sample_memory(self) -> None:
        for pid in members(self._supervisor):
            try:
                self.peak_mb = max(self.peak_mb, peak_memory(pid))
            except (OSError, AssertionError):
                continue  # the process has just ended


@contextmanager
def start_workers(
    environment: Mapping[str, str], folder: Path, *, workers: int = 2
) -> Iterator[WorkerProcesses]:
    """Start a worker cluster and wait until it is up; its log is in the folder."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as log:
        supervisor = start(
            [sys.executable, "manage.py", "run_worker"],
            environment={**environment, "Q_WORKERS": str(workers), "VAR_DIR": str(folder)},
            log=log,
        )
    with os.fdopen(reading, encoding="utf-8", errors="replace") as output:
        # Keep reading its output, or the worker blocks on a full pipe.
        listener = threading.Thread(target=lambda: (folder / "worker.log").write_text(output.read()))
        try:
            while "The worker is up" not in (line := output.readline()):
                assert line, "the worker ended before it was up"
            listener.start()
            yield WorkerProcesses(supervisor.pid)
        finally:
            stop(supervisor, STOP_TIMEOUT)
            if listener.ident:
                listener.join()


def await_end(jobs: Sequence[Job], workers: WorkerProcesses | None = None) -> None:
    """Wait until all jobs have ended, and sample the memory of the workers."""
    waiting = [job.pk for job in jobs]
    while waiting := list(
        Job.objects.filter(pk__in=waiting, finished_at__isnull=True).values_list("pk", flat=True)
    ):
        stuck = Job.objects.filter(pk__in=waiting, status="errored").values_list("error", flat=True)
        assert not list(stuck), list(stuck)
        if workers:
            workers.sample_memory()
        time.sleep(POLL_INTERVAL)
    for job in jobs:
        job.refresh_from_db()


def database_mb() -> float:
    """The size of the database on disk in MB; for SQLite with its write-ahead log."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            return float(cursor.fetchone()[0]) / 1e6
    name = str(connection.settings_dict["NAME"])
    files = [Path(name), Path(f"{name}-wal")]
    return sum(file.stat().st_size for file in files if file.exists()) / 1e6
