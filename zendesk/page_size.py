"""The size of an export's pages: as large as Zendesk delivers in good time.

A page of 1,000 tickets may end in a 504 every time where 500 work, because of archived tickets (airbyte
issues 52059 and 86479).
"""

from __future__ import annotations

import logging

log = logging.getLogger(__name__)

LEAST = 100  # records; Zendesk recommends this size (developer.zendesk.com, search export)
SLOW = 20.0  # seconds; a page that took longer is halved before Zendesk gives up on one
QUICK = 10.0  # seconds; after several such pages a larger one is tried
PAGES_TO_GROW = 3  # quick pages in a row; doubles with each page that was too large
MOST_PAGES_TO_GROW = 48


class PageSize:
    """The size of the next page of one kind of export. Used by the caller's thread alone."""

    def __init__(self, most: int, least: int = LEAST) -> None:
        self.now = most
        self._most = most
        self._least = min(least, most)
        self._quick = 0
        self._needed = PAGES_TO_GROW

    def failed(self, size: int) -> int | None:
        """A page of this size was too large: the size to try in its place, or None if it is the least."""
        if size <= self._least:
            return None
        self._shrink(size)
        return self.now

    def arrived(self, size: int, seconds: float) -> None:
        """A page of this size has arrived."""
        if seconds > SLOW and size > self._least:
            self._shrink(size)
        elif seconds > QUICK:
            self._quick = 0
        elif size == self.now < self._most:
            self._quick += 1
            if self._quick >= self._needed:
                self.now, self._quick = min(self.now * 2, self._most), 0

    def _shrink(self, size: int) -> None:
        self.now = min(self.now, max(size // 2, self._least))
        self._quick, self._needed = 0, min(self._needed * 2, MOST_PAGES_TO_GROW)
        log.warning("a page of %d is too large for Zendesk; the next has %d", size, self.now)
