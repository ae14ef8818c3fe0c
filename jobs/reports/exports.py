"""The outcome of every item, as rows for spreadsheets and programs, streamed in constant memory."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from jobs.models import Job
from jobs.states import WITH_CHANGE, Outcome

#: Items read in one query, and rows written in one piece of the response.
READ_AT_ONCE, WRITTEN_AT_ONCE = 2_000, 500
#: When an item's batch was sent, and read back.
TIMES = ("batch__sent_at", "batch__verified_at")
#: How an export calls the items of an ended job that have no outcome.
NOT_ATTEMPTED = "not_attempted"
#: A spreadsheet takes a cell that starts with one of these for a formula, and would run what a tag says
#: (owasp.org, CSV injection; the wide forms in spreadsheets set to Japanese).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
#: The same behind a character at which a spreadsheet splits a line whatever the quotes say: a semicolon where
#: the comma is the decimal sign, as in German, a tab, a line break. Blanks and quotes may stand between.
_SPLIT_FORMULA = re.compile('([;\t\r\n][ "\u00a0]*)(?=[=+\\-@\uff1d\uff0b\uff0d\uff20])')
#: Rows whose change was not made, or is not known to be, say what was to be done.
STILL_TO_DO = frozenset({Outcome.FAILED, Outcome.PENDING, Outcome.UNVERIFIED})
#: Excel takes the bytes of a CSV for UTF-8 behind this mark alone.
BOM = "\ufeff"


class UnknownOutcome(ValueError):
    """No item can have this outcome; the message names those that exist."""


class JobDeleted(Exception):
    """The job was deleted while its items were read; what was read is not all of them."""


class Row(NamedTuple):
    """One item; the names are the columns of an export and stay as they are.

    Tags are separated by blanks, and so are fields, each as name=value; an empty field has no value.
    """

    ticket_id: int
    outcome: str
    reason: str
    tags_before: str
    tags_added: str
    tags_removed: str
    sent_at: str  # ISO 8601 in UTC; "" for what was not sent
    fields_before: str = ""  # only those that the job sets
    fields_set: str = ""
    comment: str = ""  # "public" or "internal" where one was posted; what it says is not kept
    verified_at: str = ""  # ISO 8601 in UTC; when a changed one was read back; "" if it was not
    # Of one that failed, was not attempted or is unverified: what was to be done. As rows they go back in.
    tags_to_add: str = ""
    tags_to_remove: str = ""
    also_to_do: str = ""  # what tags do not tell, as a sentence: fields, a comment, or that nobody knows


class ToDo(NamedTuple):
    """What was to be done to an item."""

    add: Sequence[str] = ()
    remove: Sequence[str] = ()
    also: str = ""


#: What a job was to do to items that it had no plan for yet, by ref; it is given each with its own request.
Asked = Callable[[Sequence[tuple[int, Mapping[str, Any] | None]]], Mapping[int, ToDo]]
NOTHING = ToDo()


def rows(
    job: Job, outcome: str | None = None, reason: str | None = None, *, asked: Asked | None = None
) -> Iterator[Row]:
    """The job's items in the order of their numbers, only those with `outcome` and `reason` if given.

    `asked` tells what was to be done to those that were not planned.

    Read piece by piece, each a short query of its own, so that neither the memory nor a lock grows with the
    list. Raises `UnknownOutcome` before the first row, and `JobDeleted` after the last readable one.
    """
    items = job.items.all()
    if outcome:
        items = items.filter(outcome=stored_outcome(outcome))
    if reason:
        items = items.filter(reason=reason)
    return _read(job, items.order_by("ref"), asked)


def pending_word(job: Job) -> str:
    """How an export calls the items of the job that have no outcome."""
    return NOT_ATTEMPTED if job.is_ended else str(Outcome.PENDING)


def stored_outcome(name: str) -> Outcome:
    """The outcome of that name, as exports and pages call it; raises `UnknownOutcome`."""
    try:
        return Outcome.PENDING if name == NOT_ATTEMPTED else Outcome(name)
    except ValueError:
        known = ", ".join([*Outcome.values, NOT_ATTEMPTED])
        raise UnknownOutcome(f"There is no outcome {name!r}. The outcomes are: {known}.") from None


def write_csv(lines: Iterable[Row], *, bom: bool = False) -> Iterator[str]:
    """Pieces of a CSV file with a line of names; what would be run as a formula gets an apostrophe."""
    buffer = io.StringIO()
    if bom:
        buffer.write(BOM)
    writer = csv.writer(buffer)
    writer.writerow(Row._fields)
    for piece in _pieces(lines):
        writer.writerows([escape_formula(cell) for cell in line] for line in piece)
        yield _drain(buffer)
    yield _drain(buffer)


def write_json(lines: Iterable[Row]) -> Iterator[str]:
    """Pieces of one JSON array of objects; without its closing bracket the export is not complete."""
    before = "["
    for piece in _pieces(lines):
        yield before + ",\n".join(map(_object, piece))
        before = ",\n"
    yield "[]\n" if before == "[" else "]\n"


def write_ndjson(lines: Iterable[Row]) -> Iterator[str]:
    """Pieces of a text with one JSON object a line."""
    for piece in _pieces(lines):
        yield "".join(f"{_object(line)}\n" for line in piece)


Writer = Callable[[Iterable[Row]], Iterator[str]]
#: Of each format that is text: its writer and its media type.
FORMATS: dict[str, tuple[Writer, str]] = {
    "csv": (write_csv, "text/csv; charset=utf-8"),
    "json": (write_json, "application/json"),
    "ndjson": (write_ndjson, "application/x-ndjson"),
}


def _read(job: Job, items: Any, asked: Asked | None) -> Iterator[Row]:
    pending = pending_word(job)
    wanted = items.values_list("ref", "outcome", "detail", "reason", "before", "change", *TIMES)
    after: int | None = None
    while True:
        piece = list((wanted if after is None else wanted.filter(ref__gt=after))[:READ_AT_ONCE])
        unplanned = [
            ref for ref, outcome, *_, change, _, _ in piece if change is None and outcome in STILL_TO_DO
        ]
        told = asked(_requests(job, unplanned)) if asked and unplanned else {}
        for ref, outcome, detail, reason, before, change, sent_at, verified_at in piece:
            done = (change or {}) if outcome in WITH_CHANGE else {}
            todo = NOTHING
            if outcome in STILL_TO_DO:
                todo = told.get(ref, NOTHING) if change is None else planned(change)
            yield Row(
                ref,
                pending if outcome == Outcome.PENDING else outcome,
                detail or reason,
                " ".join((before or {}).get("tags", ())),
                " ".join(done.get("add", ())),
                " ".join(done.get("remove", ())),
                _time(sent_at),
                _fields(_fields_before(before or {}, done)),
                _fields(_fields_set(done)),
                done.get("comment", ""),
                _time(verified_at) if outcome == Outcome.CHANGED else "",
                " ".join(todo.add),
                " ".join(todo.remove),
                todo.also,
            )
        if len(piece) < READ_AT_ONCE:
            # A job is hidden before any of it is deleted.
            if not Job.objects.filter(pk=job.pk).exists():
                raise JobDeleted(f"Job {job.pk} was deleted meanwhile, so its export is not complete.")
            return
        after = piece[-1][0]


def _requests(job: Job, refs: Sequence[int]) -> list[tuple[int, dict[str, Any] | None]]:
    given = job.items.filter(ref__gte=refs[0], ref__lte=refs[-1], given__isnull=False)
    requests = dict(given.values_list("ref", "given"))
    return [(ref, requests.get(ref)) for ref in refs]


def planned(change: Mapping[str, Any]) -> ToDo:
    """What a planned change was to do. The guard tag is the job's own, and no part of what was asked for."""
    guard = change.get("guard")
    return ToDo(
        [tag for tag in change.get("add", ()) if tag != guard],
        change.get("remove", ()),
        beyond_tags(_fields_set(change), change.get("comment", "")),
    )


def beyond_tags(fields: Mapping[str, Any], comment: str) -> str:
    """What a change was to do besides tags, as a sentence; "" for nothing."""
    parts = [_fields(fields), _COMMENTS.get(comment, comment)]
    if not any(parts):
        return ""
    return f"Tags alone do not repeat this: {', '.join(filter(None, parts))}."


_COMMENTS = {"public": "a public reply", "internal": "an internal note"}


def _fields_set(change: Mapping[str, Any]) -> dict[str, Any]:
    return {**change.get("fields", {}), **custom_fields(change.get("custom", {}))}


def custom_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """Custom fields by the names that people read: `custom_fields_4`."""
    return {f"custom_fields_{number}": value for number, value in values.items()}


def _fields_before(before: Mapping[str, Any], done: Mapping[str, Any]) -> dict[str, Any]:
    """What stood in the fields that the job sets, and in those that were put back with them."""
    along, custom = before.get("along", {}), before.get("custom", {})
    moved = {name: along[name] for name in done.get("fields", {}) if name in along}
    touched = {number: custom[number] for number in done.get("custom", {}) if number in custom}
    return {**before.get("fields", {}), **moved, **custom_fields(touched)}


def _time(moment: datetime | None) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else ""


def _fields(values: Mapping[str, Any]) -> str:
    return " ".join(f"{name}={'' if value is None else value}" for name, value in values.items())


def _pieces(lines: Iterable[Row]) -> Iterator[list[Row]]:
    rest = iter(lines)
    while piece := list(islice(rest, WRITTEN_AT_ONCE)):
        yield piece


def _object(line: Row) -> str:
    return json.dumps(line._asdict(), ensure_ascii=False)


def escape_formula(cell: str | int) -> str | int:
    """The cell, escaped so that no spreadsheet runs it, or a part of it where it splits the cell."""
    if not isinstance(cell, str) or not cell:
        return cell
    if not cell.isprintable() or ";" in cell:
        cell = _SPLIT_FORMULA.sub(r"\1'", cell)
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def _drain(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text
