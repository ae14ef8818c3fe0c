"""Where the tickets of a job come from: a view, a search, numbers, a tag, an earlier job's tickets.

Or several of these together, without others, and in an order. Each kind is a module of `source_kinds`; this
module holds what is the same for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
    "count",
    "equal_tags",
    "expected_size",
    "gives_refs_only",
    "held_tags",
    "ids",
    "items",
    "keeps_cursor",
    "note_on_taken_out",
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


def gives_refs_only(stored: Stored) -> bool:
    """Whether the source's pages tell only which tickets were found, not in which state they are."""
    return of_kind(stored, lambda kind: kind.gives_refs_only, otherwise=False)


def held_tags(stored: Stored) -> frozenset[str]:
    """The tags of which a ticket must still have one to be meant; empty: no such condition.

    Of several sources there is one only if each part has one: who found a ticket is not kept.
    """
    if stored.get("kind") == SEVERAL:
        parts = [held_tags(part) for part in stored["of"]]
        return frozenset().union(*parts) if all(parts) else frozenset()
    return of_kind(stored, lambda kind: kind.held_tags(stored), otherwise=frozenset())


def equal_tags(stored: Stored) -> frozenset[str]:
    """The tags by which a ticket alone shows that it is one of these; empty where it does not."""
    return of_kind(stored, lambda kind: kind.equal_tags(stored), otherwise=frozenset())


def note_on_taken_out(stored: Stored) -> str:
    """What people should know of the tickets that this source leaves out of a job; "" for nothing."""
    if not gives_refs_only(stored) or equal_tags(stored):
        return ""
    return "Left out is what Zendesk's search found, and that lags behind the tickets by minutes."


def expected_size(zendesk: Zendesk, stored: Stored) -> int | None:
    """About how many tickets a source has, asked just now; None: not known."""
    return of_kind(stored, lambda kind: kind.number(stored, CountsNow(zendesk)), otherwise=None)


@dataclass(frozen=True, slots=True)
class CountsNow:
    """Numbers of tickets asked for just now."""

    zendesk: Zendesk

    def view(self, view_id: int) -> int | None:
        return self.zendesk.view_count(view_id).value

    def search(self, query: str) -> int:
        return self.zendesk.search_count(query)


def count(zendesk: Zendesk, stored: Stored) -> int | None:
    """How many tickets Zendesk counts in a source now; None where it does not say."""
    return of_kind(stored, lambda kind: kind.count(zendesk, stored), None)


def completeness_doubt(zendesk: Zendesk, stored: Stored, found: int, *, taken_out: bool) -> str:
    """Why the tickets `found` may not be all, in a sentence; "" where nothing speaks for that."""
    return of_kind(
        stored, lambda kind: kind.completeness_doubt(zendesk, stored, found, taken_out=taken_out), ""
    )
