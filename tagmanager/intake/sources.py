"""Where the tickets of a job come from: a view, a search, numbers, a tag, an earlier job's tickets.

Or several of these together, without others, and in an order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from django.core.exceptions import ValidationError

from jobs.source_spec import ITEMS, LISTED, SEVERAL, Order
from jobs.states import Outcome
from tagmanager.intake import csv_rows
from zendesk import Page, Ticket, Zendesk
from zendesk.error_body import one_line

#: Names of the column with the ticket's number, as exports of ours, of Zendesk and of Explore call it.
ID_COLUMNS = ("id", "ticket_id", "ticket id", "ticket", "ticket number", "#")
#: The kind of the source that is the whole account.
ALL = "all"
#: More tags than these are counted in a phrase, not named.
MOST_NAMED = 3
#: So many tags are asked for in one search: its query must stay shorter than an address may be.
TAGS_IN_A_SEARCH = 20


@dataclass(frozen=True, slots=True)
class Source:
    """What a job stores of its source, with the numbers where they were given, and how people call it."""

    stored: dict[str, Any]
    refs: Iterable[int] = field(default=(), repr=False)
    given: Iterable[dict[str, Any]] | None = field(default=None, repr=False)  # for each number alone
    lists: Mapping[int, Iterable[int]] = field(
        default_factory=dict, repr=False
    )  # of several: numbers by part

    @property
    def phrase(self) -> str:
        """As the end of a title: "tickets of view “All unsolved”"."""
        return phrase_of(self.stored)


def view(view_id: int, title: str) -> Source:
    """The title is Zendesk's, so it is stored as one line that any database and any page can take."""
    return Source({"kind": "view", "id": view_id, "title": one_line(title)})


def search(query: str) -> Source:
    return Source({"kind": "search", "query": query})


def tag(name: str) -> Source:
    return Source({"kind": "tag", "tag": name})


def any_of(tags: Sequence[str]) -> Source:
    """The tickets that carry at least one of the tags."""
    names = list(tags)
    return tag(names[0]) if len(names) == 1 else Source({"kind": "tags", "tags": names})


def all_tickets() -> Source:
    """Every ticket of the account that is not deleted, archived and closed ones too; for admins."""
    return Source({"kind": ALL})


def ids(numbers: Sequence[int], *, name: str = "") -> Source:
    """Numbers in the order given; `name` is the file they come from.

    Each counts once: `number` is how many tickets they are, `doubles` how many numbers repeat an earlier one.
    """
    doubles = doubles_in(numbers)
    stored = {"kind": LISTED, "name": name, "number": len(numbers) - doubles, "doubles": doubles}
    return Source(stored, numbers)


def doubles_in(numbers: Iterable[int]) -> int:
    """How many of the numbers repeat another one."""
    # Sorted, because a set of a million takes twice the room.
    return sum(first == second for first, second in pairwise(sorted(numbers)))


def told_once(stored: dict[str, Any]) -> str:
    """A sentence about numbers that were given more than once; "" when none was."""
    doubles = stored.get("doubles", 0)
    if doubles == 1:
        return "1 number was given twice, and counts once."
    return f"{doubles:,} numbers repeat earlier ones, and each ticket counts once." if doubles else ""


def items(job: int, outcomes: Sequence[str]) -> Source:
    """The tickets of an earlier job that ended with one of these outcomes."""
    return Source({"kind": ITEMS, "job": job, "outcomes": list(outcomes)})


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


def phrase_of(stored: dict[str, Any]) -> str:
    """How people call a stored source, but for its order."""
    phrase = "tickets"
    match stored:
        case {"kind": kind, "of": of} if kind == SEVERAL:
            phrase = " and ".join(map(phrase_of, of))
            if without := stored.get("without"):
                phrase += f", but not {' or '.join(map(phrase_of, without))}"
        case {"kind": "view", "id": view_id, "title": title}:
            phrase = f"tickets of view “{title}”" if title else f"tickets of view {view_id}"
        case {"kind": "search", "query": query}:
            phrase = f"tickets found by “{query}”"
        case {"kind": "tag", "tag": name}:
            phrase = f"tickets tagged {name}"
        case {"kind": "tags", "tags": names}:
            phrase = f"tickets tagged {any_named(names)}"
        case {"kind": kind} if kind == ALL:
            phrase = "all tickets"
        case {"kind": kind, "name": name} if kind == LISTED:
            phrase = f"{_counted(stored.get('number'))} {f'of {name}' if name else 'given by number'}"
        case {"kind": kind, "job": job, "outcomes": outcomes} if kind == ITEMS:
            which = "" if len(outcomes) == len(Outcome) else f"{' and '.join(outcomes)} "
            phrase = f"the {which}tickets of job {job}"
    return phrase


def any_named(names: Sequence[str]) -> str:
    """As the end of "tickets tagged …": all of a few tags, the number of many."""
    return f"one of {len(names):,} tags" if len(names) > MOST_NAMED else " or ".join(names)


def _counted(number: int | None) -> str:
    if number is None:
        return "the tickets"
    return f"{number:,} ticket{'' if number == 1 else 's'}"


def pages(zendesk: Zendesk, stored: dict[str, Any], cursor: str) -> Iterator[Page[Ticket]]:
    """The tickets of a source that Zendesk keeps, from the cursor on ("": from the start)."""
    if stored.get("kind") == "view":
        return zendesk.view_tickets(stored["id"], cursor=cursor or None)
    if stored.get("kind") == ALL:
        return _undeleted(zendesk.incremental_tickets(cursor=cursor or None))
    if queries := queries_of(stored):
        return _found_by(zendesk, queries, cursor)
    raise ValueError(f"Zendesk keeps no tickets of the kind {stored.get('kind')!r}.")


def keeps_places(stored: dict[str, Any]) -> bool:
    """Whether a place in the list stays good: the export of all tickets goes by the time of their change."""
    return stored.get("kind") == ALL


def queries_of(stored: dict[str, Any]) -> list[str]:
    """The searches that together find the tickets of a source, none for other kinds of sources.

    A ticket may be found by several. Several values of one keyword widen a search, so that many tags take few
    searches (support.zendesk.com, article 4408886879258).
    """
    match stored:
        case {"kind": "search", "query": query}:
            return [query]
        case {"kind": "tag", "tag": name}:
            return [tag_query(name)]
        case {"kind": "tags", "tags": names}:
            starts = range(0, len(names), TAGS_IN_A_SEARCH)
            return [" ".join(map(tag_query, names[start : start + TAGS_IN_A_SEARCH])) for start in starts]
    return []


def _undeleted(found: Iterable[Page[Ticket]]) -> Iterator[Page[Ticket]]:
    for page in found:
        yield Page([ticket for ticket in page.items if ticket.status != "deleted"], page.next_cursor)


def _found_by(zendesk: Zendesk, queries: Sequence[str], cursor: str) -> Iterator[Page[Ticket]]:
    """One search after the other; the cursor of several is `number of the search:its own cursor`."""
    if len(queries) == 1:
        yield from zendesk.search_export(queries[0], cursor=cursor or None)
        return
    first, _, place = cursor.partition(":")
    for number in range(int(first or 0), len(queries)):
        after = f"{number + 1}:" if number + 1 < len(queries) else None
        for page in zendesk.search_export(queries[number], cursor=place or None):
            inside = page.next_cursor and f"{number}:{page.next_cursor}"
            yield Page(page.items, inside or after)
        place = ""


def tag_query(name: str) -> str:
    """The search for tickets that carry exactly this tag; quoted, because a colon would end the word."""
    return f'tags:"{name}"' if ":" in name or "/" in name else f"tags:{name}"


def words_in(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """What stands for the ticket numbers of a file, with its line: CSV with a column `id`, or one a line.

    Read as a stream, so that a million lines need no memory. Raises `ValidationError` when it finds no such
    column, or no CSV.
    """
    rows = csv_rows.rows(lines)
    number, first = next(rows, (0, []))
    if not first:
        raise ValidationError("The file is empty. Give ticket numbers, one a line, or CSV with a column id.")
    names = [cell.lower() for cell in first]
    column = next((names.index(name) for name in ID_COLUMNS if name in names), None)
    if column is None:
        if len(names) > 1:
            known = ", ".join(ID_COLUMNS[:-1])
            raise ValidationError(
                f"No column of the file has a name that stands for ticket numbers; its first line names "
                f"{_shortened(', '.join(names))}. Call the column with the ticket numbers by one of these "
                f"names: {known} or {ID_COLUMNS[-1]}.",
                code="no_column",
            )
        yield number, first[0]
        column = 0
    for number, cells in rows:
        yield number, cells[column] if column < len(cells) else ""


def _shortened(text: str) -> str:
    return text if len(text) <= 80 else text[:80] + "…"
