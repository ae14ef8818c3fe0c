"""Reading every ticket for a count: on until past its own start, each ticket by its newest reading.

Zendesk's export goes by the time of each change, and leaves out the last minute (developer.zendesk.com,
incremental exports). A ticket that changes during the count comes again at the end. So the list is complete
as of a minute before its last page was asked for, and that moment must not lie before the start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from jobs.clocks import clock
from jobs.errors import NeedsPerson, TryLater
from jobs.work import Page, Snapshot
from tagmanager.changes.engine_adapter import remark_on
from tagmanager.inventory import tag_counts
from tagmanager.ticket_change import TicketSnapshot
from zendesk import Ticket, Zendesk

#: Beyond what the export leaves out, since a page takes a moment: so the next one surely reaches far enough.
MARGIN = timedelta(seconds=2)

WAITS = (
    "Zendesk's list of all tickets leaves out the last minute. What changed before this count began is "
    "read as soon as the list has it."
)
INCOMPLETE = "So the count is not complete. Resume it, and if that does not help, cancel it and count again."


def pages(
    zendesk: Zendesk, cursor: str, *, began: datetime, listed: Callable[[Sequence[Ticket]], set[int]]
) -> Iterator[Page]:
    """The pages from the cursor on. `listed` says which tickets have an item already.

    Raises `TryLater` after a page that ends the list too early; its cursor leads on. Raises `NeedsPerson` if
    Zendesk breaks the list off: nobody knows then which tickets are missing.
    """
    found = zendesk.incremental_tickets(cursor=cursor or None)
    while True:
        asked_at = clock.now()
        page = next(found, None)
        if page is None:
            return
        if broke_off := getattr(page, "broke_off", ""):
            raise NeedsPerson(f"{broke_off} {INCOMPLETE}")
        left = began + tag_counts.EXPORT_OMITS - asked_at
        is_early = page.next_cursor is None and bool(page.resume) and left > timedelta(0)
        known = listed(page.items)
        # By id: of a ticket that comes twice on a page the later record counts.
        seen = {ticket.id: ticket for ticket in page.items}
        fresh = [
            (ref, _snapshot(ticket))
            for ref, ticket in seen.items()
            if ref not in known and ticket.status != tag_counts.DELETED
        ]
        again = {ref: _snapshot(ticket) for ref, ticket in seen.items() if ref in known and not ticket.odd}
        yield Page(
            fresh,
            page.resume if is_early else page.next_cursor,
            again,
            remark_on(page.unreadable),
            page.broke_off,
        )
        if is_early:
            raise TryLater(WAITS, reason=None, seconds=(left + MARGIN).total_seconds())


def _snapshot(ticket: Ticket) -> Snapshot:
    return TicketSnapshot.from_ticket(ticket).to_json()
