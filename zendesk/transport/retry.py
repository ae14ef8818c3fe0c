"""How long and how often one call retries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from zendesk.errors import RateLimited, TooManyJobs, TryLater, Unavailable

FIRST_BACKOFF = 0.5  # seconds; doubles with each attempt
MAX_BACKOFF = 8.0  # seconds
MAX_ATTEMPTS = 6


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """The waiting time and the attempts that one call has left."""

    seconds: float  # of waiting
    attempts: int = MAX_ATTEMPTS  # the first one included

    def backoff_after(self, error: TryLater, jitter: Callable[[], float]) -> float | None:
        """Seconds to wait before the next attempt; None if the caller must handle the error.

        An error that leaves the fate of a write unknown is never retried here. A 429 always is, if the wait
        fits into the budget: Zendesk did not carry out that call.
        """
        if error.fate_unknown or self.attempts <= 1 or isinstance(error, TooManyJobs):
            return None
        pause = self._backoff(error, jitter)
        return pause if pause <= self.seconds else None

    def spend(self, seconds: float, *, attempts: int = 0) -> RetryBudget:
        return replace(self, seconds=self.seconds - seconds, attempts=self.attempts - attempts)

    def _backoff(self, error: TryLater, jitter: Callable[[], float]) -> float:
        if isinstance(error, RateLimited) and error.retry_after is not None:
            return error.retry_after
        # The server closed an idle pooled connection: a new connection is all it takes.
        if isinstance(error, Unavailable) and error.dropped and self.attempts == MAX_ATTEMPTS:
            return 0.0
        pause: float = min(FIRST_BACKOFF * 2.0 ** (MAX_ATTEMPTS - self.attempts), MAX_BACKOFF) * (
            0.5 + jitter() / 2
        )
        return max(pause, error.retry_after or 0.0)
