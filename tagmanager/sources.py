"""Where the tickets of a job come from: a view, a search, numbers, a tag, or an earlier job's tickets."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import Any

from django.core.exceptions import ValidationError

from jobs.selection import ITEMS, LISTED
from zendesk import Page, Ticket, Zendesk
from zendesk.envelope import plain

#: Names of the column with the ticket's number, as exports of ours, of Zendesk and of Explore call it.
ID_COLUMNS = ("id", "ticket_id", "ticket id", "ticket", "ticket number", "#")
#: What Excel writes first to say what separates the cells: sep=;
SEPARATOR_LINE = re.compile(r'"?sep=([,;\t|])"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Source:
    """What a job stores of its source, with the numbers where they were given, and how people call it."""

    stored: dict[str, Any]
    refs: Iterable[int] = field(default=(), repr=False)

    @property
    def phrase(self) -> str:
        """As the end of a title: "tickets of view “All unsolved”"."""
        return phrase_of(self.stored)


def view(view_id: int, title: str) -> Source:
    """The title is Zendesk's, so it is stored as one line that any database and any page can take."""
    return Source({"kind": "view", "id": view_id, "title": plain(title)})


def search(query: str) -> Source:
    return Source({"kind": "search", "query": query})


def tag(name: str) -> Source:
    return Source({"kind": "tag", "tag": name})


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


def phrase_of(stored: dict[str, Any]) -> str:
    """How people call a stored source."""
    match stored:
        case {"kind": "view", "id": view_id, "title": title}:
            return f"tickets of view “{title}”" if title else f"tickets of view {view_id}"
        case {"kind": "search", "query": query}:
            return f"tickets found by “{query}”"
        case {"kind": "tag", "tag": name}:
            return f"tickets tagged {name}"
        case {"kind": kind, "name": name} if kind == LISTED:
            return f"{_counted(stored.get('number'))} {f'of {name}' if name else 'given by number'}"
        case {"kind": kind, "job": job, "outcomes": outcomes} if kind == ITEMS:
            return f"the {' and '.join(outcomes)} tickets of job {job}"
    return "tickets"


def _counted(number: int | None) -> str:
    if number is None:
        return "the tickets"
    return f"{number:,} ticket{'' if number == 1 else 's'}"


def pages(zendesk: Zendesk, stored: dict[str, Any], cursor: str) -> Iterator[Page[Ticket]]:
    """The tickets of a source that Zendesk keeps, from the cursor on ("": from the start)."""
    match stored:
        case {"kind": "view", "id": view_id}:
            return zendesk.view_tickets(view_id, cursor=cursor or None)
        case {"kind": "search", "query": query}:
            return zendesk.search_export(query, cursor=cursor or None)
        case {"kind": "tag", "tag": name}:
            return zendesk.search_export(tag_query(name), cursor=cursor or None)
    raise ValueError(f"Zendesk keeps no tickets of the kind {stored.get('kind')!r}.")


def tag_query(name: str) -> str:
    """The search for tickets that carry exactly this tag; quoted, because a colon would end the word."""
    return f'tags:"{name}"' if ":" in name or "/" in name else f"tags:{name}"


def words_in(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """What stands for the ticket numbers of a file, with its line: CSV with a column `id`, or one a line.

    Read as a stream, so that a million lines need no memory. Raises `ValidationError` when it finds no such
    column, or no CSV.
    """
    rows = _rows(lines)
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


def _rows(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, with the line they end on; quoted cells may hold line breaks."""
    rest = iter(lines)
    skipped, first, told = 0, "", ""
    for line in rest:
        first = line.lstrip("\ufeff")
        if first.strip() and not told and (separator := SEPARATOR_LINE.fullmatch(first.strip())):
            told, first = separator[1], ""  # Excel's own first line
        if first.strip():
            break
        skipped += 1
    reader = csv.reader(chain([first], rest), delimiter=told or max(",;\t", key=first.count))
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield skipped + reader.line_num, stripped
    except csv.Error as problem:
        raise ValidationError(f"Line {skipped + reader.line_num} is not CSV: {problem}.") from problem
