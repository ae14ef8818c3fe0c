"""Workers as they are run: `run_worker`, with Django-Q2's cluster below it."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from django.db import connection

from jobs.models import Job
from jobs.workers.processes import members, start, stop
from tests.benchmarks.figures import peak_memory

#: Seconds.
GRACE, LOOK = 30.0, 0.2


class Fleet:
    """The processes of one supervisor and the most that any of them has held in memory, MB."""

    def __init__(self, supervisor: int) -> None:
        self._supervisor = supervisor
        self.peak_mb = 0.0

    def look(self) -> None:
        for pid in members(self._supervisor):
            try:
                self.peak_mb = max(self.peak_mb, peak_memory(pid))
            except (OSError, AssertionError):
                continue  # it has just ended


@contextmanager
def at_work(environment: Mapping[str, str], folder: Path, *, workers: int = 2) -> Iterator[Fleet]:
    """A worker cluster that is up; its log lies in the folder."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as log:
        supervisor = start(
            [sys.executable, "manage.py", "run_worker"],
            environment={**environment, "Q_WORKERS": str(workers), "VAR_DIR": str(folder)},
            log=log,
        )
    with os.fdopen(reading, encoding="utf-8", errors="replace") as said:
        # What it says has to be read on, or it would wait for room in the pipe.
        listener = threading.Thread(target=lambda: (folder / "worker.log").write_text(said.read()))
        try:
            while "The worker is up" not in (line := said.readline()):
                assert line, "the worker ended before it was up"
            listener.start()
            yield Fleet(supervisor.pid)
        finally:
            stop(supervisor, GRACE)
            if listener.ident:
                listener.join()


def await_end(jobs: Sequence[Job], fleet: Fleet | None = None) -> None:
    """Look now and then until all of them have ended."""
    waiting = [job.pk for job in jobs]
    while waiting := list(
        Job.objects.filter(pk__in=waiting, finished_at__isnull=True).values_list("pk", flat=True)
    ):
        stuck = Job.objects.filter(pk__in=waiting, status="errored").values_list("error", flat=True)
        assert not list(stuck), list(stuck)
        if fleet:
            fleet.look()
        time.sleep(LOOK)
    for job in jobs:
        job.refresh_from_db()


def size_of_database() -> float:
    """MB that the database takes on disk, with what SQLite has not yet put into its file."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            return float(cursor.fetchone()[0]) / 1e6
    name = str(connection.settings_dict["NAME"])
    files = [Path(name), Path(f"{name}-wal")]
    return sum(file.stat().st_size for file in files if file.exists()) / 1e6
