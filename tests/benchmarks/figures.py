"""Statistics, saved figures, and the tables that benchmarks print."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

from django.db import connection

NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def median(values: Sequence[float]) -> float:
    return percentile(values, 50)


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest measured value that at least `percent` percent of the values do not exceed."""
    return sorted(values)[max(-(-len(values) * percent // 100) - 1, 0)]


def peak_memory(pid: int | str = "self") -> float:
    """The peak memory of a process since its start, in MB; read from Linux's /proc."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    assert found
    return int(found[1]) / 1024


def database() -> str:
    """The database's name and version, for the title of a table."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SHOW server_version")
            return f"PostgreSQL {cursor.fetchone()[0].split()[0]}"
        cursor.execute("SELECT sqlite_version()")
        return f"SQLite {cursor.fetchone()[0]}"


def save(part: str, **values: float) -> None:
    """Save the figures of a benchmark for `summary`; they replace those of an earlier run."""
    file = Path(os.environ.get("BENCH_FIGURES", "build/bench.json"))
    file.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    known.setdefault(connection.vendor, {})[part] = values
    file.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


def save_row(table: str, columns: Sequence[str], row: Sequence[object], *, key: int) -> None:
    """Save a row for `summary`; it replaces that of an earlier run with the same first `key` cells."""
    cells = [str(cell) for cell in row]
    file = Path(os.environ.get("BENCH_FIGURES", "build/bench.json"))
    file.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    tables = known.setdefault("tables", {})
    if tables.get(table, {}).get("columns") != list(columns):  # rows of another form of the table
        tables[table] = {"columns": list(columns), "rows": []}
    saved = tables[table]
    named = [NAMES[connection.vendor], *cells]
    saved["rows"] = [old for old in saved["rows"] if old[: key + 1] != named[: key + 1]] + [named]
    file.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


def print_table(title: str, notes: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table: the first column aligned left, the others right.

    If BENCH_REPORT names a file, append the table to it too.
    """
    cells = [[str(cell) for cell in row] for row in (columns, *rows)]
    widths = [max(len(row[index]) for row in cells) for index in range(len(columns))]
    lines = ["", title, *notes.strip().splitlines(), ""]
    for row in cells:
        first, *others = (
            cell.rjust(width) if index else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  ".join([first, *others]).rstrip())
    lines.insert(-len(rows) or len(lines), "  ".join("-" * width for width in widths))
    text = "\n".join(lines) + "\n"
    print(text)
    if report := os.environ.get("BENCH_REPORT"):
        with Path(report).open("a", encoding="utf-8") as file:
            file.write(text)
