"""The rate limit gate of the pages, apart from that of the jobs.

Jobs close theirs when they have used up their share, which is none of the pages' business. And what holds a
page up, such as a limit of one endpoint, must not hold up a job.
"""

from __future__ import annotations

import time

from django.core.cache import cache


class PagesGate:
    """A `zendesk.Gate` for the web processes of one host; its threads need no connection to the database."""

    def __init__(self, account: str) -> None:
        self._key = f"pages-held:{account}"
        self._until = 0.0  # where the cache cannot be used

    def not_before(self) -> float:
        kept = cache.get(self._key)
        return max(self._until, kept) if isinstance(kept, float) else self._until

    def hold(self, until: float, why: str) -> None:  # noqa: ARG002 - the page shows the error itself
        self._until = max(self._until, until)
        seconds = self.not_before() - time.time()
        if seconds > 0:
            cache.set(self._key, self.not_before(), seconds)
