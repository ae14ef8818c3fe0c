"""Deletes an old job with a million items while another process writes: how long a write waits at most."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone

from jobs.models import Gate, Item, Job
from jobs.reports import recount
from tests.benchmarks import figures, sizes
from tests.benchmarks.conftest import Fill
from tests.benchmarks.worker_processes import database_mb

SMALL_JOBS = 50
#: Seconds between two writes of the other process; a sending worker writes about as often.
WRITE_INTERVAL = 0.02
#: Runs a command, then prints its peak memory.
RUN_AND_PRINT_PEAK = """
import sys
from django.core.management import execute_from_command_line
from tests.benchmarks.figures import peak_memory
execute_from_command_line(["manage.py", *sys.argv[1:]])
print(peak_memory())
"""
COLUMNS = ("database", "items deleted", "seconds", "items a second", "peak MB", "MB before", "MB after")


def test_prune(fill: Fill, process_environment: dict[str, str]) -> None:
    number = sizes.pruned_items()
    dataset = fill(number * 6 // 5, SMALL_JOBS, largest=number)
    end = timezone.now() - timedelta(days=1_000)
    Job.objects.filter(pk=dataset.partial).update(finished_at=end)
    Gate.objects.create(name="another writer")
    before, started = database_mb(), time.perf_counter()
    command = subprocess.Popen(
        [sys.executable, "-c", RUN_AND_PRINT_PEAK, "prune_jobs", "--older-than", "900", "--yes"],
        env=process_environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    waits = []
    while command.poll() is None:
        waits.append(_write())
        time.sleep(WRITE_INTERVAL)
    seconds = time.perf_counter() - started
    out, _ = command.communicate()
    assert command.returncode == 0
    assert (Job.stored.filter(pk=dataset.partial).count(), list(recount.drifts())) == (0, [])
    assert Item.objects.count() == dataset.items - number
    peak, longest = float(out.split()[-1]), max(waits)
    figures.save("prune", seconds=seconds, peak_mb=peak, longest_wait=longest)
    figures.print_table(
        f"Deleting an old job, {figures.database()}",
        f"{len(waits):,} writes of another process meanwhile, one every {WRITE_INTERVAL * 1000:.0f} ms: the "
        f"slowest took {longest * 1000:.0f} ms, half took less than {figures.median(waits) * 1000:.1f} ms.",
        COLUMNS,
        [
            (
                connection.vendor,
                f"{number:,}",
                f"{seconds:.1f}",
                f"{number / seconds:,.0f}",
                f"{peak:.0f}",
                f"{before:.0f}",
                f"{database_mb():.0f}",
            )
        ],
    )


def _write() -> float:
    started = time.perf_counter()
    with transaction.atomic():
        Gate.objects.filter(name="another writer").update(not_before=timezone.now())
    return time.perf_counter() - started
