"""Sizes of the benchmarks: environment variables make them smaller or larger."""

from __future__ import annotations

import os
from dataclasses import dataclass


def size(name: str, default: int) -> int:
    """The whole number in `BENCH_<NAME>`, or the default."""
    return int(os.environ.get(f"BENCH_{name.upper()}", default))


def items() -> int:
    """Rows of the largest table for pages and exports."""
    return size("items", 1_000_000)


def formats() -> list[str]:
    """Formats of an export."""
    return os.environ.get("BENCH_FORMATS", "csv,json,ndjson,zip,xlsx").split(",")


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


@dataclass(frozen=True, slots=True)
class Piped:
    """A job against a Zendesk with delays."""

    tickets: int
    scale: float  # factor for the delays
    calls: int  # a minute that the plan of the account allows


def pipeline_jobs() -> list[Piped]:
    """Each `tickets@factor`, or `tickets@factor@calls`; without calls those of Zendesk's Enterprise plan."""
    jobs = os.environ.get("BENCH_PIPED", "10000@1,10000@0.25,10000@1@400,100000@0.25").split(",")
    parts = ((*one.split("@"), "700")[:3] for one in jobs)
    return [Piped(int(tickets), float(scale), int(calls)) for tickets, scale, calls in parts]


def sources() -> list[str]:
    """Jobs against a Zendesk with delays: what their tickets are chosen by."""
    return os.environ.get("BENCH_SOURCES", "view,search,file").split(",")


def slots() -> list[int]:
    """Jobs against a Zendesk with delays: how many batches may be in flight; 28 without any setting."""
    return [int(number) for number in os.environ.get("BENCH_PLACES", "28").split(",")]


def beside_tickets() -> int:
    """Tickets of the job that runs beside another program."""
    return size("beside", 10_000)


def viewed_tickets() -> int:
    """Tickets of the job that runs beside people at the pages."""
    return size("viewed", 5_000)


def rounds() -> int:
    """How often each of these people opens every page."""
    return size("rounds", 3)


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
