"""Sizes of the benchmarks: environment variables make them smaller or larger."""

from __future__ import annotations

import os


def size(name: str, default: int) -> int:
    """The whole number in `BENCH_<NAME>`, or the default."""
    return int(os.environ.get(f"BENCH_{name.upper()}", default))


def items() -> int:
    """Rows of the largest table for pages and exports."""
    return size("items", 1_000_000)


def jobs() -> int:
    """Small jobs beside the three large ones; at most one for each 20 items."""
    return min(size("jobs", 5_000), max(items() // 20, 1))


def repetitions() -> int:
    """Requests for each page."""
    return size("times", 60)


def mapped_tickets() -> int:
    """Tickets in the account whose tags a mapping renames."""
    return size("mapped", 100_000)


def engine_tickets() -> int:
    """Items of the job that measures the engine alone."""
    return size("tickets", 20_000)


def pipeline_jobs() -> list[tuple[int, float]]:
    """Jobs against a Zendesk with delays: the number of tickets, and the factor for the delays."""
    jobs = os.environ.get("BENCH_PIPED", "10000@1,100000@0.25").split(",")
    pairs = (one.split("@") for one in jobs)
    return [(int(tickets), float(scale)) for tickets, scale in pairs]


def slots() -> list[int]:
    """Jobs against a Zendesk with delays: how many batches may be in flight."""
    return [int(number) for number in os.environ.get("BENCH_PLACES", "10,25,30").split(",")]


def delay_factor() -> float:
    """The factor for Zendesk's recorded delays in comparisons."""
    return float(os.environ.get("BENCH_SCALE", "0.25"))


def compared_tickets() -> int:
    """Tickets of the job that is compared with zenpy; the loop that waits for each call gets a tenth."""
    return size("compared", 10_000)


def largest_job() -> int:
    """Tickets of the largest job that runs end to end."""
    return size("most", 1_000_000)


def pruned_items() -> int:
    """Items of the old job that `prune_jobs` deletes."""
    return size("pruned", 1_000_000)
