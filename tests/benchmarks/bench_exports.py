"""The export of a whole large job in each format.

Shows that it is streamed: time and size grow with the job, the memory of the process does not.
"""

from __future__ import annotations

from contextlib import closing

from jobs.models import Job
from tests.benchmarks import figures
from tests.benchmarks.stock import Stock
from tests.benchmarks.web import served

KINDS = ("csv", "json", "ndjson")


def test_exports(full: Stock, process_environment: dict[str, str]) -> None:
    rows = []
    for kind in KINDS:
        # A server of its own for each, because the peak of a process never falls.
        with served(process_environment) as web, closing(web.connect()) as line:
            web.get(f"/jobs/{full.middle}/export.{kind}", line)
            before = web.peak_memory()
            for pk, narrowed in ((full.partial, ""), (full.partial, "?outcome=failed")):
                job = Job.objects.get(pk=pk)
                answer = web.get(f"/jobs/{pk}/export.{kind}{narrowed}", line)
                assert answer.status == 200
                number = job.failed if narrowed else job.found
                rows.append(
                    (
                        f"{kind}, {'failed' if narrowed else 'all'}",
                        f"{number:,}",
                        f"{answer.size / 1e6:.1f}",
                        f"{answer.seconds:.1f}",
                        f"{number / answer.seconds:,.0f}",
                        f"{before:.0f}",
                        f"{web.peak_memory():.0f}",
                    )
                )
    figures.tell(
        f"Exports, {figures.database()}: {full.items:,} items in the database",
        "Real HTTP to gunicorn. Target: 1,000,000 rows in 60 s (16,667 rows a second) at constant memory.\n"
        "Memory is the peak of the worker process, after a small export and after this one.",
        ("export", "rows", "MB", "seconds", "rows a second", "MB before", "MB after"),
        rows,
    )
