"""The ticket count of a view as Zendesk reports it: first none, then exact, then rounded."""

from collections.abc import Callable
from typing import Any

from zendesk.sandbox.options import Options

# The first answer recorded was null, the next one, six seconds later, had a value (zenpy's cassettes).
_COUNTING_SECONDS = 2.0
# "Large" views are recounted every 60 to 90 minutes (developer.zendesk.com, views).
_LARGE = 1_000
_LARGE_CACHE_SECONDS = 3600.0
_FRESH_SECONDS = 60.0


class ViewCounts:
    """Cached counts by view."""

    def __init__(self, options: Callable[[], Options]) -> None:
        self._options = options
        self._begun: dict[int, float] = {}
        self._counted: dict[int, tuple[float, int]] = {}

    def get(self, view_id: int, now: float, count: Callable[[], int]) -> dict[str, Any]:
        """`value`, `pretty` and `fresh` for a view; `count` counts its tickets."""
        counted = self._counted.get(view_id)
        if counted is not None and self._is_stale(counted, now):
            counted = None
        if counted is None:
            begun = self._begun.get(view_id)
            if begun is None or now < begun + _COUNTING_SECONDS * self._options().scale:
                self._begun.setdefault(view_id, now)
                return {"value": None, "pretty": "...", "fresh": False}
            counted = self._counted[view_id] = (now, count())
        at, value = counted
        is_fresh = now - at < _FRESH_SECONDS
        return {"value": value, "pretty": str(value) if is_fresh else _rounded(value), "fresh": is_fresh}

    @staticmethod
    def _is_stale(counted: tuple[float, int], now: float) -> bool:
        at, value = counted
        return now - at >= (_LARGE_CACHE_SECONDS if value >= _LARGE else _FRESH_SECONDS)


def _rounded(value: int) -> str:
    return f"~{round(value, -2)}" if value >= 100 else str(value)
