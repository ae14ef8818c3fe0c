"""Rate limits of the account and of some endpoints, by fixed minutes (developer.zendesk.com, rate limits)."""

from collections.abc import Callable
from dataclasses import dataclass

from zendesk.sandbox.errors import rate_limited
from zendesk.sandbox.options import Options

_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Limit:
    """An endpoint limit: calls per minute, and how its header and its refusal call it."""

    name: str
    total: int
    what: str = "API"
    shown: bool = True


TICKETS_INDEX = Limit("tickets-index", 100)
TICKETS_UPDATE = Limit("tickets-update", 100)
SEARCH_INDEX = Limit("search-index", 2_500)
# Counted without a word: the recorded answers of these carry no header of theirs.
TAGS_INDEX = Limit("tags-index", 100, shown=False)
SEARCH_EXPORT = Limit("search-export", 100, "search export", shown=False)
VIEW = Limit("views-count", 5, "view", shown=False)
INCREMENTAL = Limit("incremental-exports-cursor", 10, "incremental export API", shown=False)


class Limits:
    """Counts the calls of the running minute."""

    def __init__(self, options: Callable[[], Options]) -> None:
        self._options = options
        self._window = -1
        self._used = 0
        self._used_by_endpoint: dict[tuple[str, int | None], int] = {}

    def _start_window(self, now: float) -> int:
        """Begin a new minute if one has begun; seconds to its end."""
        window = int(now) // _MINUTE
        if window != self._window:
            self._window = window
            self._used = 0
            self._used_by_endpoint.clear()
        return max(1, (window + 1) * _MINUTE - int(now))

    def count_call(self, now: float) -> None:
        """One more call; `ApiError` 429 if the minute is used up. A refused call costs nothing."""
        reset = self._start_window(now)
        if self._used >= self._options().rate_limit:
            raise rate_limited("API", reset)
        self._used += 1

    def count_endpoint(self, limit: Limit, now: float, key: int | None = None) -> dict[str, str]:
        """One more call of an endpoint (of one view, by `key`); its header, or `ApiError` 429."""
        reset = self._start_window(now)
        used = self._used_by_endpoint.get((limit.name, key), 0)
        if used >= limit.total:
            raise rate_limited(limit.what, reset)
        self._used_by_endpoint[limit.name, key] = used + 1
        if not limit.shown:
            return {}
        prefix = "zendesk-ratelimit" if self._options().header_style == "2024" else "zendesk-rate-limit"
        told = f"total={limit.total}; remaining={limit.total - used - 1}; resets={reset}"
        return {f"{prefix}-{limit.name}": told}

    def headers(self, now: float) -> dict[str, str]:
        """The account's headers, as every answer carries them."""
        reset = self._start_window(now)
        options = self._options()
        total, remaining = str(options.rate_limit), str(max(0, options.rate_limit - self._used))
        headers = {"x-rate-limit": total, "x-rate-limit-remaining": remaining}
        if options.header_style == "2023":
            return headers | {
                "rate-limit": total,
                "rate-limit-remaining": remaining,
                "rate-limit-reset": str(reset),
            }
        return headers | {
            "x-zendesk-api-gateway": "yes",
            "ratelimit-limit": total,
            "ratelimit-remaining": remaining,
            "ratelimit-reset": str(reset),
        }
