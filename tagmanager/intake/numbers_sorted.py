"""Millions of numbers put in order within little memory."""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

#: How many numbers are sorted at once; a list of them takes some four megabytes.
AT_ONCE = 100_000


def in_order(numbers: Sequence[int]) -> Iterator[int]:
    """The numbers from the least on. A sorted list of two million would take 80 MB."""
    parts = [
        array("q", sorted(numbers[start : start + AT_ONCE])) for start in range(0, len(numbers), AT_ONCE)
    ]
    return heapq.merge(*parts)


def repeated(numbers: Sequence[int]) -> Iterator[int]:
    """Each number that repeats another one, as often as it does."""
    return (first for first, second in pairwise(in_order(numbers)) if first == second)


def distinct(numbers: Sequence[int]) -> int:
    """How many different numbers there are."""
    return len(numbers) - count(repeated(numbers))


def count(things: Iterable[object]) -> int:
    return sum(1 for _ in things)
