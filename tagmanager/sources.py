"""Where the tickets of a job come from: a view, a search, numbers, a tag, or an earlier job's tickets."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from django.core.exceptions import ValidationError

from jobs.selection import ITEMS, LISTED
from tagmanager.fields import parse_id
from zendesk import Page, Ticket, Zendesk
from zendesk.envelope import plain

#: Names of the column with the ticket's number, as exports of ours, of Zendesk and of Explore call it.
ID_COLUMNS = ("id", "ticket_id", "ticket id", "ticket", "ticket number", "#")


@dataclass(frozen=True, slots=True)
class Source:
    """What a job stores of its source, with the numbers where they were given, and how people call it."""

    stored: dict[str, Any]
    refs: Iterable[int] = field(default=(), repr=False)

    @property
    def phrase(self) -> str:
        """As the end of a title: "tickets of view All unsolved"."""
        return phrase_of(self.stored)


def view(view_id: int, title: str) -> Source:
    """The title is Zendesk's, so it is stored as one line that any database and any page can take."""
    return Source({"kind": "view", "id": view_id, "title": plain(title)})


def search(query: str) -> Source:
    return Source({"kind": "search", "query": query})


def tag(name: str) -> Source:
    return Source({"kind": "tag", "tag": name})


def ids(numbers: Iterable[int], *, name: str = "") -> Source:
    """Numbers in the order given; `name` is the file they come from."""
    return Source({"kind": LISTED, "name": name}, numbers)


def items(job: int, outcomes: Sequence[str]) -> Source:
    """The tickets of an earlier job that ended with one of these outcomes."""
    return Source({"kind": ITEMS, "job": job, "outcomes": list(outcomes)})


def phrase_of(stored: dict[str, Any]) -> str:
    """How people call a stored source."""
    match stored:
        case {"kind": "view", "id": view_id, "title": title}:
            return f"tickets of view {title or view_id}"
        case {"kind": "search", "query": query}:
            return f"tickets found by “{query}”"
        case {"kind": "tag", "tag": name}:
            return f"tickets tagged {name}"
        case {"kind": kind, "name": name} if kind == LISTED:
            return f"the tickets of {name}" if name else "the tickets given by number"
        case {"kind": kind, "job": job, "outcomes": outcomes} if kind == ITEMS:
            return f"the {' and '.join(outcomes)} tickets of job {job}"
    return "tickets"


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


def ids_in(lines: Iterable[str]) -> Iterator[int]:
    """The ticket numbers of a file: CSV with a column `id` (or `ticket_id`), or one number a line.

    Read as a stream, so that a million lines need no memory. Raises `ValidationError` naming the line.
    """
    rows = _rows(lines)
    number, first = next(rows, (0, []))
    if not first:
        raise ValidationError("The file is empty. Give ticket numbers, one a line, or CSV with a column id.")
    names = [cell.lower() for cell in first]
    column = next((names.index(name) for name in ID_COLUMNS if name in names), None)
    if column is None:
        if len(names) > 1:
            raise ValidationError(
                f"The first line of the file names no column id (it names {', '.join(names)[:80]}). "
                "Name the column with the ticket numbers id."
            )
        yield _id_on(number, first[0])
        column = 0
    for number, cells in rows:
        if len(cells) <= column:
            raise ValidationError(f"Line {number} has no ticket number.")
        yield _id_on(number, cells[column])


def _rows(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, with the line they end on; quoted cells may hold line breaks."""
    rest = iter(lines)
    skipped, first = 0, ""
    for line in rest:
        first = line.lstrip("\ufeff")
        if first.strip():
            break
        skipped += 1
    reader = csv.reader(chain([first], rest), delimiter=max(",;\t", key=first.count))
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield skipped + reader.line_num, stripped
    except csv.Error as problem:
        raise ValidationError(f"Line {skipped + reader.line_num} is not CSV: {problem}.") from problem


def _id_on(number: int, cell: str) -> int:
    try:
        return parse_id(cell)
    except ValidationError as problem:
        raise ValidationError(f"Line {number}: {problem.message}", code="ticket_id") from problem
