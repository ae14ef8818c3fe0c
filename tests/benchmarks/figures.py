"""Figures, and the table in which they are printed."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

from django.db import connection


def median(values: Sequence[float]) -> float:
    return percentile(values, 50)


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many percent of all do not exceed; one that was measured, not one between two."""
    return sorted(values)[max(-(-len(values) * percent // 100) - 1, 0)]


def peak_memory(pid: int | str = "self") -> float:
    """The most that a process has held in memory since it started, MB; as Linux tells it."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    assert found
    return int(found[1]) / 1024


def database() -> str:
    """The database's name and version, for the head of a table."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SHOW server_version")
            return f"PostgreSQL {cursor.fetchone()[0].split()[0]}"
        cursor.execute("SELECT sqlite_version()")
        return f"SQLite {cursor.fetchone()[0]}"


def keep(part: str, **found: float) -> None:
    """Write down what a part found, for the table of all targets (`summary`); a later run takes its place."""
    file = Path(os.environ.get("BENCH_FIGURES", "build/bench.json"))
    file.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    known.setdefault(connection.vendor, {})[part] = found
    file.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


def tell(title: str, notes: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print one table: the first column to the left, figures to the right.

    With BENCH_REPORT naming a file it is written there too, behind what the file holds.
    """
    cells = [[str(cell) for cell in row] for row in (columns, *rows)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(columns))]
    lines = ["", title, *notes.strip().splitlines(), ""]
    for row in cells:
        first, *others = (
            cell.rjust(width) if place else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  ".join([first, *others]).rstrip())
    lines.insert(-len(rows) or len(lines), "  ".join("-" * width for width in widths))
    text = "\n".join(lines) + "\n"
    print(text)
    if report := os.environ.get("BENCH_REPORT"):
        with Path(report).open("a", encoding="utf-8") as file:
            file.write(text)
