"""The Zendesk account, as commands ask it: while somebody waits at a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from jobs.cli.commands import cannot_run
from tagmanager.account import connection
from tagmanager.inventory import tag_counts
from tagmanager.inventory.tag_counts import TagLists
from zendesk import RateLimited, Zendesk, ZendeskError

#: A client's patience with one call, seconds: somebody waits for the answer; a job is more patient.
MAX_WAIT = 5.0
#: Seconds until a busy account is asked again, where it does not say.
BUSY_WAIT = 10.0
#: After each question for the number of tickets in a view that Zendesk still counts, seconds.
COUNTING = (0.5, 1.5, 0.0)


def connected() -> Zendesk:
    """A client for the account of the settings; `CommandError` says which setting is missing or wrong."""
    try:
        return connection.connect(max_wait=MAX_WAIT)
    except (connection.NotConnected, ValueError) as problem:
        raise cannot_run(str(problem)) from problem


@contextmanager
def as_command_errors() -> Iterator[None]:
    """The client's errors as sentences that end the command."""
    try:
        yield
    except ZendeskError as problem:
        raise cannot_run(problem.text) from problem


def complete_tag_lists(show: Callable[[str], None]) -> TagLists:
    """Wait until the lists of tags are complete, which with 20,000 of them takes minutes."""
    while True:
        try:
            found = tag_counts.tag_lists(seconds=5.0)
        except connection.NotConnected as problem:
            raise cannot_run(str(problem)) from problem
        if found.problem and not isinstance(found.problem, RateLimited):
            if found.by:
                return found
            raise cannot_run(f"The tags of the account could not be read. {found.problem}")
        if not (found.being_read or found.being_added):
            return found
        if found.being_read:
            show(f"Reading Zendesk's own list of tags: {len(found.being_read.counts):,} so far.")
        if isinstance(found.problem, RateLimited):
            time.sleep(found.problem.retry_after or BUSY_WAIT)


class LiveCounts:
    """Counts that are asked of Zendesk now."""

    def __init__(self, zendesk: Zendesk) -> None:
        self._zendesk = zendesk

    def search(self, query: str) -> int:
        return self._zendesk.search_count(query)

    def view(self, view_id: int) -> int | None:
        """Zendesk begins to count a view at the first question, and answers a later one."""
        try:
            for pause in COUNTING:
                number = self._zendesk.view_count(view_id).value
                if number is not None:
                    return number
                time.sleep(pause)
        except ZendeskError:
            pass  # it allows five questions a minute and view, and this one is only a courtesy
        return None
