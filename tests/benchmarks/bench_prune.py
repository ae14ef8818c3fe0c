"""Deleting an old job with very many items, while others write: how long one of them has to wait at most."""

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
from tests.benchmarks.worker_processes import size_of_database

SMALL_JOBS = 50
#: Between two writes of the other one, seconds: a worker that sends writes about as often.
EVERY = 0.02
#: The command, and then the most that it held in memory.
COMMAND = """
import sys
from django.core.management import execute_from_command_line
from tests.benchmarks.figures import peak_memory
execute_from_command_line(["manage.py", *sys.argv[1:]])
print(peak_memory())
"""
COLUMNS = ("database", "items deleted", "seconds", "items a second", "peak MB", "MB before", "MB after")


def test_prune(fill: Fill, process_environment: dict[str, str]) -> None:
    number = sizes.pruned()
    stock = fill(number * 6 // 5, SMALL_JOBS, largest=number)
    end = timezone.now() - timedelta(days=1_000)
    Job.objects.filter(pk=stock.partial).update(finished_at=end)
    Gate.objects.create(name="another writer")
    before, begun = size_of_database(), time.perf_counter()
    command = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "prune_jobs", "--older-than", "900", "--yes"],
        env=process_environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    waits = []
    while command.poll() is None:
        waits.append(_write())
        time.sleep(EVERY)
    seconds = time.perf_counter() - begun
    out, _ = command.communicate()
    assert command.returncode == 0
    assert (Job.stored.filter(pk=stock.partial).count(), list(recount.drifts())) == (0, [])
    assert Item.objects.count() == stock.items - number
    peak, longest = float(out.split()[-1]), max(waits)
    figures.keep("prune", seconds=seconds, peak_mb=peak, longest_wait=longest)
    figures.tell(
        f"Deleting an old job, {figures.database()}",
        f"{len(waits):,} writes of another process meanwhile, one each {EVERY * 1000:.0f} ms: the slowest "
        f"took {longest * 1000:.0f} ms, half of them less than {figures.median(waits) * 1000:.1f} ms.",
        COLUMNS,
        [
            (
                connection.vendor,
                f"{number:,}",
                f"{seconds:.1f}",
                f"{number / seconds:,.0f}",
                f"{peak:.0f}",
                f"{before:.0f}",
                f"{size_of_database():.0f}",
            )
        ],
    )


def _write() -> float:
    begun = time.perf_counter()
    with transaction.atomic():
        Gate.objects.filter(name="another writer").update(not_before=timezone.now())
    return time.perf_counter() - begun
