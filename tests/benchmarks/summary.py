"""`python -m tests.benchmarks.summary`: prints one table of the targets and the figures of the last runs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

Found = dict[str, dict[str, float]]
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
UNKNOWN = "not measured"


def main() -> int:
    file = Path(os.environ.get("BENCH_FIGURES", "build/bench.json"))
    known: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    sys.stdout.write("\n".join(table(known)) + "\n")
    for name, rows in known.get("tables", {}).items():
        sys.stdout.write("\n".join(["", name, "", *measured(rows["columns"], rows["rows"])]) + "\n")
    return 0


def measured(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Markdown of the rows of a benchmark that ran in parts; the first cell is the database."""
    yield f"| {' | '.join(['database', *columns])} |"
    yield f"|---|---|{'---:|' * (len(columns) - 1)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def table(known: dict[str, Found]) -> Iterator[str]:
    """Markdown with a column for each database."""
    yield f"| what | target | {' | '.join(NAMES.values())} |"
    yield "|---|---|---:|---:|"
    for what, target, cell_of in ROWS:
        cells = [cell_of(known.get(vendor, {})) or UNKNOWN for vendor in NAMES]
        yield f"| {what} | {target} | {' | '.join(cells)} |"


def _calls(found: Found) -> str:
    jobs = [found[part] for part in found if part.startswith("pipeline search 100000 ")]
    return " / ".join(
        f"{max(job[kind] for job in jobs):.0f}" for kind in ("pages", "reads", "writes", "checks") if jobs
    )


def _pipeline(found: Found) -> str:
    times = [known["times"] for part, known in found.items() if part.startswith("pipeline ")]
    return f"{min(times):.2f} to {max(times):.2f}" if times else ""


def _refused(found: Found) -> str:
    return f"{found['beside']['refused_of_100']:.1f}" if "beside" in found else ""


def _engine(found: Found) -> str:
    return f"{found['engine']['tickets_a_second']:,.0f}" if "engine" in found else ""


def _memory(found: Found) -> str:
    if "million" not in found:
        return ""
    million = found["million"]
    return f"{million['worker_mb']:.0f} MB, web {million['web_mb']:.0f} MB ({million['tickets']:,.0f})"


def _growth(found: Found) -> str:
    if "million" not in found:
        return ""
    return f"{found['million']['least_ms']:.2f} to {found['million']['most_ms']:.2f} ms"


def _milliseconds(name: str) -> Callable[[Found], str]:
    return lambda found: f"{found['pages'][name]:.0f} ms" if "pages" in found else ""


def _export(found: Found) -> str:
    if "exports" not in found:
        return ""
    return f"{found['exports']['seconds']:.0f} s, {found['exports']['peak_mb']:.0f} MB"


def _zenpy(found: Found) -> str:
    return f"{found['zenpy']['times']:.1f} times" if "zenpy" in found else ""


ROWS: list[tuple[str, str, Callable[[Found], str]]] = [
    (
        "calls for 100,000 tickets of a search: pages / reads / writes / status checks",
        "150 / 1000 / 1000 / 340",
        _calls,
    ),
    ("wall time against the ideal of the same Zendesk", "at most 1.10 times", _pipeline),
    ("another program's refused tries, of a hundred", "at most 2", _refused),
    ("against the usual loop with zenpy, in one run", "10 times faster", _zenpy),
    ("engine alone on two cores, tickets a second", "3,000", _engine),
    ("memory of a worker and of the web, up to the tickets in parentheses", "under 150 MB, flat", _memory),
    ("time per ticket, from 1,000 tickets to the most", "does not rise", _growth),
    ("slowest job list or job page, 95th percentile", "100 ms", _milliseconds("page_ms")),
    ("status JSON, 95th percentile", "20 ms", _milliseconds("status_ms")),
    ("slowest export of 1,000,000 rows, peak memory", "60 s, constant", _export),
]


if __name__ == "__main__":
    sys.exit(main())
