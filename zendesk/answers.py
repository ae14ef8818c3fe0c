"""Parsers for the answers of single endpoints. All raise UnexpectedAnswer for an unknown shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zendesk.errors import UnexpectedAnswer
from zendesk.job_status import JobStatus
from zendesk.pages import Page, parse_items, parse_records
from zendesk.records import (
    Ticket,
)


def parse_tickets(answer: Any, ids: Sequence[int]) -> list[Ticket]:
    """The tickets with these ids. Some of them may be odd (`Ticket.odd`).

    A record without a usable id may be any ticket that is missing, so each of these counts as odd.
    """
    tickets, nameless = parse_records(answer, "tickets", Ticket.read)
    if nameless:
        missing = sorted(set(ids) - {ticket.id for ticket in tickets})
        tickets += [Ticket.unreadable(id_, "its record came without a usable id") for id_ in missing]
    return tickets


def parse_queued_job(answer: Any) -> JobStatus:
    return JobStatus.from_json(answer.get("job_status"))


def parse_search_page(answer: Any, number: int) -> Page[Ticket]:
    raw = parse_items(answer, "results", lambda item: item)
    found = [item for item in raw if not isinstance(item, dict) or _is_ticket(item)]
    items, unreadable = parse_records({"results": found}, "results", Ticket.read)
    more = answer.get("next_page") is not None
    total = answer.get("count")
    return Page(
        items=items,
        next_cursor=str(number + 1) if more else None,
        total=total if type(total) is int else None,
        unreadable=unreadable,
    )


def _is_ticket(item: Mapping[str, Any]) -> bool:
    return bool(item.get("result_type", "ticket") == "ticket")


def parse_incremental_page(answer: Any) -> Page[Ticket]:
    """A page of the incremental export. The last one has a cursor too, with which a later export resumes."""
    ended, cursor = answer.get("end_of_stream"), answer.get("after_cursor")
    if not isinstance(ended, bool):
        raise UnexpectedAnswer("Zendesk exported tickets without saying whether there are more.")
    items, unreadable = parse_records(answer, "tickets", Ticket.read)
    if ended:
        resume = cursor if isinstance(cursor, str) else ""
        return Page(items, None, resume=resume, unreadable=unreadable)
    if not (isinstance(cursor, str) and cursor):
        why = "Zendesk says that there are more tickets, but not how to get them."
        return Page(items, None, unreadable=unreadable, broke_off=why)
    return Page(items, cursor, unreadable=unreadable)


def parse_count(answer: Any) -> int:
    count = answer.get("count")
    if type(count) is not int:
        raise UnexpectedAnswer("Zendesk answered the count of a search without a number.")
    return count


def parse_tag_names(answer: Any) -> list[str]:
    tags = answer.get("tags")
    if not isinstance(tags, list):
        raise UnexpectedAnswer("Zendesk answered the search for tags without a list of them.")
    return [tag for tag in tags if isinstance(tag, str)]


def parse_macro_preview(answer: Any) -> Mapping[str, Any]:
    result = answer.get("result")
    ticket = result.get("ticket") if isinstance(result, dict) else None
    if not isinstance(ticket, dict):
        raise UnexpectedAnswer("Zendesk answered the preview of a macro without a ticket.")
    return ticket
