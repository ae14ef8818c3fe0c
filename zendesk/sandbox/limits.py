"""Rate limits of the account and of single endpoints, in fixed one-minute windows.

Source: developer.zendesk.com, rate limits.
"""

from collections.abc import Callable
from dataclasses import dataclass

from zendesk.sandbox.errors import rate_limited
from zendesk.sandbox.options import Options

_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit on one endpoint, in calls per minute."""

    name: str  # in its header
    total: int
    subject: str = "API"  # in the text of its 429
    has_header: bool = True


TICKETS_INDEX = Limit("tickets-index", 100)
TICKETS_UPDATE = Limit("tickets-update", 100)
SEARCH_INDEX = Limit("search-index", 2_500)
# No header: the recorded answers of these endpoints carry none for their own limit.
TAGS_INDEX = Limit("tags-index", 100, has_header=False)
SEARCH_EXPORT = Limit("search-export", 100, "search export", has_header=False)
VIEW = Limit("views-count", 5, "view", has_header=False)
INCREMENTAL = Limit("incremental-exports-cursor", 10, "incremental export API", has_header=False)


class Limits:
    """Counts the calls of the current minute."""

    def __init__(self, options: Callable[[], Options]) -> None:
        self._options = options
        self._minute = -1
        self._used = 0
        self._used_by_endpoint: dict[tuple[str, int | None], int] = {}

    def _start_window(self, now: float) -> int:
        """Reset the counts if a new minute has begun. Returns the seconds left in the minute."""
        window = int(now) // _MINUTE
        if window != self._minute:
            self._minute = window
            self._used = 0
            self._used_by_endpoint.clear()
        return max(1, (window + 1) * _MINUTE - int(now))

    def count_call(self, now: float) -> None:
        """Count a call. Raises `ApiError` 429 once the minute is used up; refused calls cost nothing."""
        reset = self._start_window(now)
        if self._used >= self._options().rate_limit:
            raise rate_limited("API", reset)
        self._used += 1

    def count_endpoint(self, limit: Limit, now: float, key: int | None = None) -> dict[str, str]:
        """Count a call of an endpoint (of one view, by `key`); its header. Raises `ApiError` 429."""
        reset = self._start_window(now)
        used = self._used_by_endpoint.get((limit.name, key), 0)
        if used >= limit.total:
            raise rate_limited(limit.subject, reset)
        self._used_by_endpoint[limit.name, key] = used + 1
        if not limit.has_header:
            return {}
        prefix = "zendesk-ratelimit" if self._options().header_style == "2024" else "zendesk-rate-limit"
        value = f"total={limit.total}; remaining={limit.total - used - 1}; resets={reset}"
        return {f"{prefix}-{limit.name}": value}

    def headers(self, now: float) -> dict[str, str]:
        """The account's rate headers, which every answer carries."""
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
