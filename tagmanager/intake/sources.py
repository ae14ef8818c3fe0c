"""Where the tickets of a job come from: a view, a search, numbers, a tag, an earlier job's tickets.

Or several of these together, without others, and in an order. Each kind is a module of `source_kinds`; this
module holds what is the same for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from jobs.source_spec import LISTED, SEVERAL, Order, Stored
from tagmanager.intake.source_kinds.all_tickets import all_tickets
from tagmanager.intake.source_kinds.earlier_job import items
from tagmanager.intake.source_kinds.numbers import ids
from tagmanager.intake.source_kinds.registry import kind_of, of_kind
from tagmanager.intake.source_kinds.search import search
from tagmanager.intake.source_kinds.source import Source
from tagmanager.intake.source_kinds.tag import MOST_NAMED, any_of, tag, tag_query
from tagmanager.intake.source_kinds.view import view
from zendesk import Page, Ticket, Zendesk

__all__ = [
    "MOST_NAMED",
    "Source",
    "all_tickets",
    "any_of",
    "combined",
    "completeness_doubt",
    "ids",
    "items",
    "keeps_cursor",
    "pages",
    "search",
    "tag",
    "tag_query",
    "view",
]


def combined(of: Sequence[Source], without: Sequence[Source] = (), order: str = Order.AS_FOUND) -> Source:
    """The tickets of all of these, each once, but for those of others; one alone stays what it is."""
    if len(of) == 1 and not without and not order:
        return of[0]
    parts = [*of, *without]
    stored: dict[str, Any] = {"kind": SEVERAL, "of": [source.stored for source in of]}
    if without:
        stored["without"] = [source.stored for source in without]
    if order:
        stored["order"] = str(order)
    lists = {number: part.refs for number, part in enumerate(parts) if part.stored["kind"] == LISTED}
    return Source(stored, lists=lists)


def pages(zendesk: Zendesk, stored: Stored, cursor: str) -> Iterator[Page[Ticket]]:
    """The tickets of a source that Zendesk keeps, from the cursor on ("": from the start)."""
    kind = kind_of(stored)
    if kind is None:
        raise ValueError(f"Zendesk keeps no tickets of the kind {stored.get('kind')!r}.")
    return kind.pages(zendesk, stored, cursor)


def keeps_cursor(stored: Stored) -> bool:
    """Whether a cursor of the source's pages stays good for days."""
    return of_kind(stored, lambda kind: kind.keeps_cursor, otherwise=False)


def completeness_doubt(zendesk: Zendesk, stored: Stored, found: int, *, taken_out: bool) -> str:
    """Why the tickets `found` may not be all, in a sentence; "" where nothing speaks for that."""
    return of_kind(
        stored, lambda kind: kind.completeness_doubt(zendesk, stored, found, taken_out=taken_out), ""
    )
