"""How long and how often one call tries again by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from zendesk.errors import RateLimited, TooManyJobs, TryLater, Unavailable

FIRST_PAUSE = 0.5  # seconds; doubled with each try
LONGEST_PAUSE = 8.0  # seconds
TRIES = 6


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """What one call has left to spend on waiting and on trying again."""

    seconds: float  # of waiting
    tries: int = TRIES  # the first one included

    def pause_after(self, error: TryLater, jitter: Callable[[], float]) -> float | None:
        """Seconds to wait before the next try; None when there is none, and the error is the caller's.

        Whatever leaves open whether a write was carried out is never tried again here. A 429 was not
        carried out, so it always may be, as long as the waiting fits in.
        """
        if error.fate_unknown or self.tries <= 1 or isinstance(error, TooManyJobs):
            return None
        pause = self._pause(error, jitter)
        return pause if pause <= self.seconds else None

    def spend(self, seconds: float, *, tries: int = 0) -> RetryBudget:
        return replace(self, seconds=self.seconds - seconds, tries=self.tries - tries)

    def _pause(self, error: TryLater, jitter: Callable[[], float]) -> float:
        if isinstance(error, RateLimited) and error.retry_after is not None:
            return error.retry_after
        # A pooled connection that the server closed while it was idle: a new one is all it takes.
        if isinstance(error, Unavailable) and error.dropped and self.tries == TRIES:
            return 0.0
        pause: float = min(FIRST_PAUSE * 2.0 ** (TRIES - self.tries), LONGEST_PAUSE) * (0.5 + jitter() / 2)
        return max(pause, error.retry_after or 0.0)
