"""Draws the slots of an account over time: ours, another program's, and those that are free."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.benchmarks.chart import HEIGHT, MARGIN, WIDTH
from tests.benchmarks.other_client import Sample

TOTAL, LEFT, BELOW, ABOVE = 30, 40, 44, 64
#: Readable on white and on black.
STYLE = (
    "text{font:13px sans-serif;fill:#7d8590}.axis{stroke:#7d8590;stroke-opacity:.4}"
    ".ours{fill:#3b82f6}.others{fill:#e8833a}"
    ".free{fill:#7d8590;fill-opacity:.15}"
)


def write(samples: Sequence[Sample]) -> Path:
    """Write `slots.svg` in the folder BENCH_CHARTS."""
    file = Path(os.environ.get("BENCH_CHARTS", "build")) / "slots.svg"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(draw(samples), encoding="utf-8")
    return file


def draw(samples: Sequence[Sample]) -> str:
    """The x axis shows seconds; from below the other program's slots, then ours, then those that are free."""
    end = max(samples[-1].at, 1.0)
    right, bottom = WIDTH - MARGIN, HEIGHT - BELOW

    def x(seconds: float) -> float:
        return LEFT + seconds / end * (right - LEFT)

    def y(slots: float) -> float:
        return bottom - slots / TOTAL * (bottom - ABOVE)

    def area(top: Callable[[Sample], int], kind: str) -> str:
        steps = f"M{LEFT} {bottom}" + "".join(
            f"H{x(sample.at):.1f}V{y(min(top(sample), TOTAL)):.1f}" for sample in samples
        )
        return f'<path class="{kind}" d="{steps}H{right}V{bottom}Z"/>'

    title = "Slots for bulk jobs in use: ours beside another program's"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">',
        f"<title>{title}</title><style>{STYLE}</style>",
        f'<text x="{MARGIN}" y="{MARGIN}">{title}</text>',
        area(lambda _: TOTAL, "free"),
        area(lambda sample: sample.others + sample.ours, "ours"),
        area(lambda sample: sample.others, "others"),
    ]
    for slots in range(0, TOTAL + 1, 10):
        parts.append(f'<path class="axis" d="M{LEFT} {y(slots):.1f}H{right}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(slots) + 4:.1f}" text-anchor="end">{slots}</text>')
    for part in range(5):
        anchor = "end" if part == 4 else "middle"
        seconds = end * part / 4
        parts.append(
            f'<text x="{x(seconds):.1f}" y="{HEIGHT - 20}" text-anchor="{anchor}">{seconds:.0f} s</text>'
        )
    for number, (kind, words) in enumerate(
        (("others", "the other program"), ("ours", "Tag Manager"), ("free", "free"))
    ):
        across = LEFT + 150 * number
        parts.append(f'<rect class="{kind}" x="{across}" y="34" width="12" height="12"/>')
        parts.append(f'<text x="{across + 18}" y="45">{words}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
