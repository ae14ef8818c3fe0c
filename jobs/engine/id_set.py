"""A compact sorted set of ids, for a million refs and more."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import islice

#: How many ids are sorted at a time: Python's own numbers take five times the memory of packed ones.
RUN_LENGTH = 100_000
#: The sort key of ids without one: after all others in both directions.
AFTER_ALL = 2**62


def sorted_ids(pairs: Iterable[tuple[int, int | None]], *, backwards: bool = False) -> Iterator[int]:
    """The refs of the pairs `(ref, key)`, sorted by key and then by ref; the key `None` sorts last.

    Equal neighbours are given once. All pairs are read before the first ref is given; each takes 16 bytes.
    """
    sign = -1 if backwards else 1
    rest, runs = iter(pairs), []
    while part := sorted(
        (AFTER_ALL if key is None else sign * key, sign * ref) for ref, key in islice(rest, RUN_LENGTH)
    ):
        runs.append((array("q", (key for key, _ in part)), array("q", (ref for _, ref in part))))
    last = None
    for _, ref in merge(*(zip(keys, refs, strict=True) for keys, refs in runs)):
        if ref != last:
            yield sign * ref
        last = ref


class IdSet:
    """A set of refs, 8 bytes each.

    Every time slice builds it anew, so that has to be fast: the sorted runs are not merged.
    """

    def __init__(self, refs: Iterable[int] = ()) -> None:
        rest = iter(refs)
        self._runs: list[array[int]] = []
        while run := sorted(islice(rest, RUN_LENGTH)):
            self._runs.append(array("q", run))

    def __contains__(self, ref: int) -> bool:
        for run in self._runs:
            index = bisect_left(run, ref)
            if index < len(run) and run[index] == ref:
                return True
        return False
