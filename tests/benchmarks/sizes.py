"""How much is measured: figures that a variable of the environment may make smaller or larger."""

from __future__ import annotations

import os


def size(name: str, usual: int) -> int:
    """The whole number that `BENCH_<NAME>` says, or the usual one."""
    return int(os.environ.get(f"BENCH_{name.upper()}", usual))


def items() -> int:
    """Rows of the largest table while pages and exports are measured."""
    return size("items", 1_000_000)


def jobs() -> int:
    """Small jobs beside the three large ones; a small stock has fewer, one for each 20 items or so."""
    return min(size("jobs", 5_000), max(items() // 20, 1))


def times() -> int:
    """How often each page is asked for."""
    return size("times", 60)


def mapped() -> int:
    """Tickets of the account whose tags a mapping renames."""
    return size("mapped", 100_000)


def tickets() -> int:
    """Items of the job that the engine runs."""
    return size("tickets", 20_000)


def piped() -> list[tuple[int, float]]:
    """Tickets of the jobs against a Zendesk with delays, and what those are multiplied with."""
    asked = os.environ.get("BENCH_PIPED", "10000@1,100000@0.25").split(",")
    pairs = (one.split("@") for one in asked)
    return [(int(tickets), float(scale)) for tickets, scale in pairs]


def places() -> list[int]:
    """Of the jobs against a Zendesk with delays: how many batches may be in flight."""
    return [int(number) for number in os.environ.get("BENCH_PLACES", "10,25,30").split(",")]


def scale() -> float:
    """What the recorded delays of Zendesk are multiplied with where programs are compared."""
    return float(os.environ.get("BENCH_SCALE", "0.25"))


def compared() -> int:
    """Tickets of the job that is compared with zenpy; what waits for each call gets a tenth."""
    return size("compared", 10_000)


def most() -> int:
    """Tickets of the largest job that is run from end to end."""
    return size("most", 1_000_000)


def pruned() -> int:
    """Items of the old job that is deleted."""
    return size("pruned", 1_000_000)
