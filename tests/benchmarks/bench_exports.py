"""The export of a job with a million items, in each format.

Shows that exports are streamed: time and size grow with the job, the memory of the process does not. A
workbook is sent when all of it is written.
"""

from __future__ import annotations

import os
from contextlib import closing

from jobs.models import Job
from jobs.reports.export_files import XLSX
from tests.benchmarks import figures, sizes
from tests.benchmarks.conftest import Fill
from tests.benchmarks.web import start_gunicorn

SMALL_JOBS = 50
COLUMNS = ("export", "rows", "MB", "seconds", "rows a second", "peak MB of the process")


def test_exports(fill: Fill, process_environment: dict[str, str]) -> None:
    rows, load = sizes.items(), os.getloadavg()[0]
    dataset = fill(rows * 6 // 5, SMALL_JOBS, largest=rows)
    large, small = Job.objects.get(pk=dataset.partial), Job.objects.get(pk=dataset.middle)
    table: list[tuple[object, ...]] = []
    slowest = peak = 0.0
    for format_ in sizes.formats():
        # A new server for each format, because the peak memory of a process never falls; smallest job first.
        with start_gunicorn(process_environment) as web, closing(web.connect()) as connection:
            for name, job, outcome, number in (
                ("a small job", small, "", small.found),
                ("what failed", large, "failed", large.failed),
                ("all", large, "", large.found),
            ):
                answer = web.get(f"/jobs/{job.pk}/export.{format_}?outcome={outcome}", connection)
                assert answer.status == 200
                if format_ != XLSX:  # it is not streamed
                    slowest = max(slowest, answer.seconds)
                peak = max(peak, web.peak_memory())
                table.append(
                    (
                        f"{format_}, {name}",
                        f"{number:,}",
                        f"{answer.size / 1e6:.1f}",
                        f"{answer.seconds:.1f}",
                        f"{number / answer.seconds:,.0f}",
                        f"{web.peak_memory():.0f}",
                    )
                )
    figures.save("exports", seconds=slowest, peak_mb=peak)
    figures.print_table(
        f"Exports, {figures.database()}",
        "Over real HTTP from gunicorn, read to the end.\n"
        "Target: 1,000,000 rows in 60 s (16,667 rows a second) at constant memory.\n"
        f"Load before and after: {load:.1f}, {os.getloadavg()[0]:.1f}.",
        COLUMNS,
        table,
    )
