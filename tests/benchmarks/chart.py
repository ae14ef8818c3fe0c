"""Draws the time per ticket by the size of the job; the line should be flat."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path

WIDTH, HEIGHT, LEFT, BELOW, MARGIN = 640, 300, 56, 44, 20
#: Space between the ends of the axis and the first and last point, whose labels are wide.
INSET = 36
#: Readable on white and on black.
STYLE = (
    "text{font:13px sans-serif;fill:#7d8590}.axis{stroke:#7d8590;stroke-opacity:.4}"
    ".line{fill:none;stroke:#3b82f6;stroke-width:2.5}.dot{fill:#3b82f6}"
)
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


def write(vendor: str, times: Mapping[int, float]) -> Path:
    """Write milliseconds by number of tickets to `growth-<database>.svg` in the folder BENCH_CHARTS."""
    file = Path(os.environ.get("BENCH_CHARTS", "build")) / f"growth-{vendor}.svg"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(draw(NAMES[vendor], times), encoding="utf-8")
    return file


def draw(database: str, times: Mapping[int, float]) -> str:
    """The x axis shows tickets on a log scale, the y axis milliseconds per ticket from zero."""
    first, last = math.log10(min(times)), math.log10(max(times))
    top = _scale_end(max(times.values()))

    def x(tickets: float) -> float:
        part = (math.log10(tickets) - first) / ((last - first) or 1)
        return LEFT + INSET + part * (WIDTH - MARGIN - LEFT - 2 * INSET)

    def y(milliseconds: float) -> float:
        return HEIGHT - BELOW - milliseconds / top * (HEIGHT - BELOW - 2 * MARGIN)

    title = f"Milliseconds a ticket, by tickets in the job, {database}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{title}</title><style>{STYLE}</style>",
        f'<text x="{MARGIN}" y="{MARGIN}">{title}</text>',
    ]
    for step in range(5):
        height = y(top * step / 4)
        parts.append(f'<path class="axis" d="M{LEFT} {height:.1f}H{WIDTH - MARGIN}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{height + 4:.1f}" text-anchor="end">{top * step / 4:g}</text>')
    for tickets, milliseconds in times.items():
        across, height = x(tickets), y(milliseconds)
        parts.append(f'<circle class="dot" cx="{across:.1f}" cy="{height:.1f}" r="4"/>')
        parts.append(
            f'<text x="{across:.1f}" y="{height - 10:.1f}" text-anchor="middle">{milliseconds:.2f}</text>'
        )
        parts.append(f'<text x="{across:.1f}" y="{HEIGHT - 20}" text-anchor="middle">{tickets:,}</text>')
    points = "L".join(f"{x(tickets):.1f} {y(milliseconds):.1f}" for tickets, milliseconds in times.items())
    parts.append(f'<path class="line" d="M{points}"/></svg>')
    return "\n".join(parts) + "\n"


def _scale_end(most: float) -> float:
    """A round number above `most` whose quarters are round too."""
    power = 10.0 ** math.floor(math.log10(most))
    return next(power * factor for factor in (1, 2, 4, 8, 12) if power * factor >= most * 1.05)
